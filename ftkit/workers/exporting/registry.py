"""Which exporter builds which target."""

from collections.abc import Mapping

from ftkit.export.options import Target
from ftkit.workers.exporting.adapter import AdapterExporter
from ftkit.workers.exporting.gguf.exporter import GgufExporter
from ftkit.workers.exporting.job import Exporter
from ftkit.workers.exporting.merged import MergedExporter

EXPORTERS: Mapping[Target, Exporter] = {
    "adapter": AdapterExporter(),
    "merged": MergedExporter(),
    "gguf": GgufExporter(),
}
