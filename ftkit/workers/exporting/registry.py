"""Which exporter builds which target."""

from collections.abc import Mapping

from ftkit.export.targets import Target
from ftkit.workers.exporting.adapter import AdapterExporter
from ftkit.workers.exporting.gguf.exporter import GgufExporter
from ftkit.workers.exporting.hub import HubExporter
from ftkit.workers.exporting.job import Exporter
from ftkit.workers.exporting.merged import MergedExporter
from ftkit.workers.exporting.servers.docker import DockerExporter
from ftkit.workers.exporting.servers.endpoint import EndpointExporter
from ftkit.workers.exporting.servers.triton import TritonExporter

EXPORTERS: Mapping[Target, Exporter] = {
    "adapter": AdapterExporter(),
    "merged": MergedExporter(),
    "gguf": GgufExporter(),
    "hub": HubExporter(),
    "endpoint": EndpointExporter(),
    "docker": DockerExporter(),
    "triton": TritonExporter(),
}
