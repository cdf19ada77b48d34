"""What a node is started with: its configuration files and its Java command line.

Pure text; `process` runs it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seealso.cluster.node.jdk import Jdk
from seealso.cluster.node.versions import Release

LOG4J = """\
status = error

appender.rolling.type = RollingFile
appender.rolling.name = rolling
appender.rolling.fileName = ${sys:seealso.logs}/opensearch.log
appender.rolling.filePattern = ${sys:seealso.logs}/opensearch-%i.log
appender.rolling.layout.type = PatternLayout
appender.rolling.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
appender.rolling.policies.type = Policies
appender.rolling.policies.size.type = SizeBasedTriggeringPolicy
appender.rolling.policies.size.size = 20MB
appender.rolling.strategy.type = DefaultRolloverStrategy
appender.rolling.strategy.max = 3

rootLogger.level = info
rootLogger.appenderRef.rolling.ref = rolling
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one node."""

    base: Path
    data: Path

    @property
    def config(self) -> Path:
        """Folder of the configuration files."""
        return self.base / "config"

    @property
    def logs(self) -> Path:
        """Folder of the log files."""
        return self.base / "logs"

    @property
    def scratch(self) -> Path:
        """Folder of temporary files."""
        return self.base / "tmp"

    @property
    def log(self) -> Path:
        """OpenSearch's own log."""
        return self.logs / "opensearch.log"

    @property
    def console(self) -> Path:
        """What the JVM says before and beside that log."""
        return self.logs / "console.log"

    @property
    def state(self) -> Path:
        """File that says which process runs the node."""
        return self.base / "state.json"


def opensearch_yml(
    layout: Layout, port: int, transport_port: int, settings: Mapping[str, str]
) -> str:
    """Return opensearch.yml of a node on loopback; `settings` add to it and overrule it."""
    values = {
        "cluster.name": "seealso",
        "node.name": "seealso-node",
        "network.host": "127.0.0.1",
        "http.port": str(port),
        "transport.port": str(transport_port),
        "path.data": str(layout.data),
        "path.logs": str(layout.logs),
        # a full disk is our own check: see `disk`
        "cluster.routing.allocation.disk.threshold_enabled": "false",
    }
    if "discovery.seed_hosts" not in settings:
        values["discovery.type"] = "single-node"
    values |= settings
    # a JSON string is a YAML string
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in values.items())


def command(release: Release, jdk: Jdk, home: Path, layout: Layout, heap: str) -> list[str]:
    """Return the command line that runs OpenSearch in the foreground."""
    return [
        str(jdk.java),
        f"-Xms{heap}",
        f"-Xmx{heap}",
        "-Xss1m",
        # the distribution's own G1 settings: without them a bulk load meets circuit breakers
        "-XX:+UseG1GC",
        "-XX:G1ReservePercent=25",
        "-XX:InitiatingHeapOccupancyPercent=30",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-OmitStackTraceInFastThrow",
        f"-XX:ErrorFile={layout.logs}/jvm-crash-%p.log",
        f"-Djava.io.tmpdir={layout.scratch}",
        "-Djava.awt.headless=true",
        "-Dfile.encoding=UTF-8",
        "-Djna.nosys=true",
        "-Dio.netty.noUnsafe=true",
        "-Dio.netty.noKeySetOptimization=true",
        "-Dio.netty.recycler.maxCapacityPerThread=0",
        "-Dlog4j.shutdownHookEnabled=false",
        "-Dlog4j2.disable.jmx=true",
        *_java_options(release, jdk),
        f"-Dseealso.logs={layout.logs}",
        f"-Dopensearch.path.home={home}",
        f"-Dopensearch.path.conf={layout.config}",
        "-Dopensearch.distribution.type=tar",
        data_mark(layout.data),
        "-cp",
        f"{home}/lib/*",
        "org.opensearch.bootstrap.OpenSearch",
    ]


def data_mark(data: Path) -> str:
    """Return the option by which a process that uses `data` is known in a process list."""
    return f"-Dseealso.data={data}"


def _java_options(release: Release, jdk: Jdk) -> list[str]:
    options = []
    if jdk.vector and jdk.major >= 21:  # Lucene has no use for the older ones
        options.append("--add-modules=jdk.incubator.vector")
    if jdk.major >= 24:
        options.append("--enable-native-access=ALL-UNNAMED")
    if release.security_manager:
        options.append("-Djava.security.manager=allow")
    if jdk.bundled:
        # ICU stands in for the locale data that the trimmed JDK lacks
        options.append("-Djava.locale.providers=SPI,CLDR")
    return options
