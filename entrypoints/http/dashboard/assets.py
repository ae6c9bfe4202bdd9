"""Static files of the dashboard."""

from pathlib import Path

from entrypoints.http.framework.assets import AssetFolder

FOLDER = Path(__file__).with_name("static")
BASE = "/dashboard/static"

ASSETS = AssetFolder(FOLDER, BASE)
