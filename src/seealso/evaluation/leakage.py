"""Says how a bundle may have learnt the answers: it was fine-tuned on other data.

What is fitted is fitted anew for each evaluation (`seealso.fitting.refit`). A fine-tuned model is
not, because that takes minutes to hours.
"""

from seealso.encoder import Bundle


def find_leakage(bundle: Bundle, known: str) -> tuple[str, ...]:
    """Return a note if a bundle may have learnt the answers.

    Parameters
    ----------
    bundle
        The questions.
    known
        `Dataset.signature` of the data that the questions may know.
    """
    training = bundle.origin.get("training")
    if not training or training.get("data") == known:
        return ()
    return (
        f"{bundle.name} was fine-tuned on other events or texts: it may have learnt the answers",
    )
