"""Starts ministack as a child process of ours, with the two gaps bridged that `chalice deploy` and a developer's machine run into.

Run as `python -m ops.local.launch` with GATEWAY_PORT, STATE_DIR and BIND_HOST in the environment.
1. ImportRestApi (`POST /restapis?mode=import`) and PutRestApi (`PUT /restapis/{id}`) are not routed, although the importer is inside.
2. State is only saved at a clean end; here it is saved every few seconds too, so that a killed run loses little.
"""

import json
import os
import threading
from typing import Any

from ministack import app as ministack
from ministack.core.persistence import save_all
from ministack.services import apigateway_v1

SAVE_EVERY = 5.0
_routed = apigateway_v1.handle_request


async def _handle_request(method: str, path: str, headers: Any, body: Any, query: dict[str, Any]) -> Any:
    parts = path.strip("/").split("/")
    mode = query.get("mode", "")
    mode = mode[0] if isinstance(mode, list) and mode else mode
    if method == "POST" and parts == ["restapis"] and mode == "import":
        return apigateway_v1._get_rest_api(apigateway_v1._import_rest_api(json.loads(body)))
    if method == "PUT" and len(parts) == 2 and parts[0] == "restapis":
        return _put_rest_api(parts[1], json.loads(body))
    return await _routed(method, path, headers, body, query)


def _put_rest_api(api_id: str, spec: dict[str, Any]) -> Any:
    """Overwrites the resources of an API, as PutRestApi with mode=overwrite does: import beside it, then take over what was imported."""
    imported = apigateway_v1._import_rest_api(spec)
    apigateway_v1._resources[api_id] = apigateway_v1._resources[imported]
    apigateway_v1._delete_rest_api(imported)
    return apigateway_v1._get_rest_api(api_id)


def _keep_saving(stop: threading.Event) -> None:
    while not stop.wait(SAVE_EVERY):
        # A dictionary may change while it is written; the next round writes it again.
        save_all(ministack._build_persistence_save_dict())


def main() -> None:
    apigateway_v1.handle_request = _handle_request
    stop = threading.Event()
    if os.environ.get("PERSIST_STATE") == "1":
        threading.Thread(target=_keep_saving, args=(stop,), daemon=True, name="keep-saving").start()
    try:
        ministack.main()
    finally:
        stop.set()


if __name__ == "__main__":
    main()
