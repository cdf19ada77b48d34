"""What the catalogue looks like, read from what ``[images]`` names."""

from collections.abc import Callable

from seealso.config import Settings
from seealso.encoder import Bundle, ImageVectors
from seealso.interactions import Problems, read_image_vectors


def open_images(settings: Settings, problems: Problems) -> ImageVectors | None:
    """Read the image vectors that the settings name, or return None where they name none.

    Raises
    ------
    DataError
        A file cannot be read, a row is broken and `problems` stops there, or there is none.
    """
    if not settings.images.named:
        return None
    return ImageVectors.of(read_image_vectors(settings.images, problems))


def images_for(bundle: Bundle, read: Callable[[], ImageVectors | None]) -> ImageVectors | None:
    """Return the images that items must be encoded with; they are read only where they matter.

    Raises
    ------
    BundleError
        The bundle was fitted with images, and there are none or others.
    DataError
        As `open_images` raises it.
    """
    return None if bundle.images is None else bundle.images.checked(read(), bundle.name)


def no_images() -> None:
    """Read nothing: where the settings name no images."""
