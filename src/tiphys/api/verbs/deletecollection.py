"""deletecollection: everything that a list would find, one after the other (registry/store.go DeleteCollection)."""

from __future__ import annotations

from tiphys.api import answer
from tiphys.api.call import Call
from tiphys.api.delete_options import read_delete_options
from tiphys.api.deletion import delete_object
from tiphys.api.list_options import read_list_options
from tiphys.api.selection import read_selection
from tiphys.api.verbs.list import find
from tiphys.base.http import Response
from tiphys.base.status import StatusError


async def handle(call: Call) -> Response:
    """Answers with the list of what was found. An object that is gone already is no error."""
    selection = read_selection(call)
    listing = read_list_options(call.query, watch=False)
    options = await read_delete_options(call)
    listed = await find(call, listing, selection)
    for record in listed.records:
        try:
            await delete_object(call, record.key, options)
        except StatusError as error:
            if error.code != 404:
                raise
    return answer.many(call, listed.records, listed.metadata())
