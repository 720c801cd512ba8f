"""The reports in the dialog of jupyter-scheduler: its jobs run through our runner instead of its own.

    jupyter lab --Scheduler.execution_manager_class=cs_helpers.schedule.jupyter_scheduler.ReportExecutionManager

The stock manager runs a copy of the notebook in a folder of its own, where no relative path leads anywhere, takes
parameters as they are typed (a text without quotes is an error, a mistyped name runs with the default), and leaves a
notebook page that needs a network. See docs/jupyter-scheduler.md. The only home of jupyter-scheduler, which is not
among this package's requirements.
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


class ReportExecutionManager(DefaultExecutionManager):
    """Runs a job as ``cs-helpers run`` would, in the project's folder; a job that published nothing has failed.

    Parameters are checked against those the notebook declares, before anything runs. The report is published under
    ``reports`` and copied to where the dialog offers its files. Raises what went wrong, which jupyter-scheduler shows
    as the reason of a failed job.
    """

    def execute(self) -> None:
        """Called by jupyter-scheduler in a process of the job's own."""
        job = self.model
        os.chdir(project_folder(Path(self.root_dir)))
        notebook = Path(self.staging_paths["input"])
        values = series.check_parameters(notebook, as_typed(job.parameters or {}))
        record = run.run(notebook, values, OUT)
        self._hand_over(OUT / record["series"] / record["run_id"], job.output_formats or [])
        if run.exit_code(record):
            raise ReportFailed(run.failure_message(record, OUT))

    def _hand_over(self, folder: Path, formats: list[str]) -> None:
        """Copies the run's files to where the dialog downloads them from; a failed run has its notebook only."""
        for each in formats:
            file = folder / _FILES.get(each, "")
            if file.is_file():
                shutil.copyfile(file, self.staging_paths[each])


def project_folder(root: Path) -> Path:
    """The folder relative paths mean: the server's own, or the one above where that is ``notebooks``."""
    return root.parent if root.name == "notebooks" else root


def as_typed(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The parameters without the quotes that the stock manager needs around a text; here they are optional."""
    texts = {name: str(value).strip() for name, value in parameters.items()}
    return {
        name: text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
        for name, text in texts.items()
    }
