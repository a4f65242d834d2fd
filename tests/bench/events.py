"""What API Gateway hands to the handler for one request, whole: a browser-free client's POST as a REST proxy event."""

import json
from typing import Any

HOST = "standpipe.example.com"


class Context:
    """As much of Lambda's context as a handler may look at."""

    function_name = "standpipe-bench-APIHandler"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:standpipe-bench-APIHandler"
    memory_limit_in_mb = "1024"
    aws_request_id = "8a0d3f0e-52f8-4b0c-9f6a-0b6f1a6e2c11"
    log_group_name = "/aws/lambda/standpipe-bench-APIHandler"
    log_stream_name = "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def fetch_event(slug: str, api_key: str, body: dict[str, Any]) -> dict[str, Any]:
    """POST /data-integrations/{slug}/token."""
    text = json.dumps(body)
    headers = {
        "Accept": "application/json, text/plain, */*",
        "Accept-Encoding": "gzip, deflate, br",
        "Authorization": f"Bearer {api_key}",
        "Content-Length": str(len(text)),
        "Content-Type": "application/json",
        "Host": HOST,
        "User-Agent": "workos-node/8.0.0",
        "X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678",
        "X-Forwarded-For": "192.0.2.1, 198.51.100.1",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }
    path = f"/data-integrations/{slug}/token"
    return {
        "resource": "/data-integrations/{slug}/token",
        "path": path,
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"slug": slug},
        "stageVariables": None,
        "requestContext": {
            "resourceId": "a1b2c3",
            "resourcePath": "/data-integrations/{slug}/token",
            "httpMethod": "POST",
            "extendedRequestId": "c6AfHEqZoAMFabc=",
            "requestTime": "01/Jan/2026:12:00:00 +0000",
            "path": path,
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": "api",
            "domainPrefix": "standpipe",
            "requestTimeEpoch": 1767268800000,
            "requestId": "a6d0cb2e-1c9d-4f6e-8d2b-5a0f4f0e9b77",
            "identity": {
                "cognitoIdentityPoolId": None,
                "accountId": None,
                "cognitoIdentityId": None,
                "caller": None,
                "sourceIp": "192.0.2.1",
                "principalOrgId": None,
                "accessKey": None,
                "cognitoAuthenticationType": None,
                "cognitoAuthenticationProvider": None,
                "userArn": None,
                "userAgent": "workos-node/8.0.0",
                "user": None,
            },
            "domainName": HOST,
            "deploymentId": "d1e2f3",
            "apiId": "abcdefghij",
        },
        "body": text,
        "isBase64Encoded": False,
    }
