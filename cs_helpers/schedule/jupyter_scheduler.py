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
        root = Path(self.root_dir)
        os.chdir(root.parent if root.name == "notebooks" else root)  # relative paths begin at the project folder
        notebook = Path(self.staging_paths["input"])
        values = series.check_parameters(notebook, as_typed(job.parameters or {}))
        record = run.run(notebook, values, OUT)
        for each in job.output_formats or []:  # a failed run has a notebook only
            file = OUT / record["series"] / record["run_id"] / _FILES.get(each, "")
            if file.is_file():
                shutil.copyfile(file, self.staging_paths[each])
        if run.exit_code(record):
            raise ReportFailed(run.failure_message(record, OUT))


def as_typed(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The parameters as texts, without the optional quotes around them that the standard manager requires."""
    texts = {name: str(value).strip() for name, value in parameters.items()}
    return {
        name: text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
        for name, text in texts.items()
    }
