"""What the catalogue looks like, read from what ``[images]`` names."""

from collections.abc import Callable

from seealso.config import Settings
from seealso.encoder import Bundle, ImageEncoder, ImageVectors, open_cache
from seealso.indexer.pictures import Gallery
from seealso.readers import Problems, read_image_vectors


def open_images(settings: Settings, problems: Problems) -> ImageVectors | None:
    """Read the image vectors that the settings name, or return None where they name none.

    Raises
    ------
    DataError
        A file cannot be read, a row or picture is broken and `problems` stops there, or there
        is none.
    BundleError
        The image encoder cannot be used.
    MissingExtraError
        There are pictures, and Pillow is not installed.
    """
    named = settings.images
    if named.folder is not None and named.bundle is not None:
        encoder = ImageEncoder(named.bundle, settings.encoder.threads)
        gallery = Gallery(named.folder, encoder, open_cache(settings), problems)
        return ImageVectors.of(gallery.read(), encoder.fingerprint)
    if named.path is not None:
        return ImageVectors.of(read_image_vectors(named, problems))
    return None


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
