"""The view of the what-if panel."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from cs_helpers.report.blocks import Block
from cs_helpers.report.views import View, view_for
from cs_helpers.report.words import Headline
from cs_helpers.roi import what_if_panel, what_if_widgets
from cs_helpers.roi.results import WhatIfResult


@view_for(WhatIfResult)
class WhatIfView(View[WhatIfResult]):
    """Sliders for the inputs and what follows from them: in a report by its script, in JupyterLab as widgets."""

    def headline(self, result: WhatIfResult) -> Headline:
        """What the panel is."""
        return Headline(what_if_panel.TITLE, "", "your-own-what-if")

    def table(self, result: WhatIfResult) -> pd.DataFrame:
        """What follows from the first state, by horizon; see ``WhatIfState.results``."""
        return result.model.start.results

    def page_table(self, result: WhatIfResult) -> Block:
        """The panel."""
        block = what_if_panel.panel(result.model, result.currency)
        if not what_if_widgets.notebook_is_open():
            return block
        widgets = what_if_widgets.widget_bundle(result.model, result.currency)
        return replace(block, data={what_if_widgets.WIDGET: widgets})
