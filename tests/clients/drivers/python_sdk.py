"""Makes calls with the Python SDK and prints how each ended, one JSON object a line.

Usage: python_sdk.py BASE_URL TOKEN (message|stream)...
"""

import json
import sys

import anthropic

QUESTION = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Hello"}],
}


def message(client):
    answer = client.messages.create(**QUESTION)
    return {"text": answer.content[0].text, "message_starts": 1}


def stream(client):
    starts = 0
    with client.messages.stream(**QUESTION) as events:
        for event in events:
            starts += event.type == "message_start"
        answer = events.get_final_message()
    return {"text": answer.content[0].text, "message_starts": starts}


def main():
    base_url, token, *calls = sys.argv[1:]
    client = anthropic.Anthropic(
        base_url=base_url, auth_token=token, max_retries=0, timeout=30
    )
    for call in calls:
        try:
            outcome = {"message": message, "stream": stream}[call](client)
        # Whatever the caller would have seen counts as the error.
        except Exception as error:  # noqa: BLE001
            outcome = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(outcome), flush=True)


main()
