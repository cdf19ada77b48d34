"""Bodies of requests and answers, named as the library names what they say."""
