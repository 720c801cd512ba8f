"""Runs the jobs of jupyter-scheduler as ``cs-helpers run`` does.

    jupyter lab --Scheduler.execution_manager_class=cs_helpers.schedule.jupyter_scheduler.ReportExecutionManager

The standard manager runs a copy of the notebook in another folder, where relative paths do not work, takes parameters
as Python code without checking their names, and makes a page that needs a network. See docs/jupyter-scheduler.md. The
only module that imports jupyter-scheduler, which this package does not require.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_scheduler.executors import DefaultExecutionManager

from cs_helpers.core.errors import ReportFailed
from cs_helpers.publish import run, series

OUT = Path("reports")
_FILES = {"html": "report.html", "ipynb": "notebook.ipynb"}


class ReportExecutionManager(DefaultExecutionManager):  # type: ignore[misc]
    """Runs a job as ``cs-helpers run`` does, in the project folder; a job that published nothing has failed.

    The parameters are checked against those of the notebook before it runs. The report is published under ``reports``
    and copied to where the dialog offers its files. jupyter-scheduler shows the raised error as the reason of failure.
    """

    def execute(self) -> None:
        """Runs the job; jupyter-scheduler calls it in a process of its own."""
        job = self.model
        os.chdir(project_folder(Path(self.root_dir)))
        notebook = Path(self.staging_paths["input"])
        values = series.check_parameters(notebook, as_typed(job.parameters or {}))
        record = run.run(notebook, values, OUT)
        self._copy_files(OUT / record["series"] / record["run_id"], job.output_formats or [])
        if run.exit_code(record):
            raise ReportFailed(run.failure_message(record, OUT))

    def _copy_files(self, folder: Path, formats: list[str]) -> None:
        """Copies the files of the run to where the dialog finds them; a failed run has a notebook only."""
        for each in formats:
            file = folder / _FILES.get(each, "")
            if file.is_file():
                shutil.copyfile(file, self.staging_paths[each])


def project_folder(root: Path) -> Path:
    """The folder of relative paths: the folder of the server, or its parent if it is ``notebooks``."""
    return root.parent if root.name == "notebooks" else root


def as_typed(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The parameters as texts, without the optional quotes around them that the standard manager requires."""
    texts = {name: str(value).strip() for name, value in parameters.items()}
    return {
        name: text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
        for name, text in texts.items()
    }
