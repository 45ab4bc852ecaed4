"""What a program under test must not inherit, and which names no proxy is asked for: as `countersign exec` has it."""

from __future__ import annotations

REMOVED = (
    "OSS_SESSION_TOKEN",
    "OSS_SECURITY_TOKEN",
    "OSS_PROFILE",
    "OSS_ROLE_ARN",
    "OSS_ROLE_SESSION_NAME",
    "OSSUTIL_PROFILE",
    "OSSUTIL_CONFIG_FILE",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
    "ALIBABA_CLOUD_SESSION_TOKEN",
    "ALIBABA_CLOUD_BEARER_TOKEN",
    "ALIBABA_CLOUD_PROFILE",
    "ALIBABA_CLOUD_PROFILE_MODE",
    "ALIBABA_CLOUD_CONFIG_FILE",
    "ALIBABA_CLOUD_CONFIG_PATH",
    "ALIBABA_CLOUD_CREDENTIALS_FILE",
    "ALIBABA_CLOUD_CREDENTIALS_URI",
    "ALIBABA_CLOUD_ECS_METADATA",
    "ALIBABA_CLOUD_ENDPOINT",
    "ALIBABA_CLOUD_ROLE_ARN",
    "ALIBABA_CLOUD_ROLE_SESSION_NAME",
    "ALIBABA_CLOUD_EXTERNAL_ID",
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    "ALIBABACLOUD_ACCESS_KEY_ID",
    "ALIBABACLOUD_ACCESS_KEY_SECRET",
    "ALIBABACLOUD_SECURITY_TOKEN",
    "ALIBABACLOUD_PROFILE",
    "ALIBABACLOUD_CONFIG_PATH",
    "ALIBABACLOUD_ENDPOINT",
    "ALIBABACLOUD_ROLE_ARN",
    "ALICLOUD_ACCESS_KEY",
    "ALICLOUD_ACCESS_KEY_ID",
    "ALICLOUD_ACCESS_KEY_SECRET",
    "ALICLOUD_SECRET_KEY",
    "ALICLOUD_SECURITY_TOKEN",
    "ALICLOUD_PROFILE",
    "ALICLOUD_CONFIG_PATH",
    "ALICLOUD_ENDPOINT",
    "ALIYUN_ACCESS_KEY_ID",
    "ALIYUN_ACCESS_KEY_SECRET",
    "ALIYUN_SECURITY_TOKEN",
    "ALIYUN_SESSION_TOKEN",
    "SECURITY_TOKEN",
    "COUNTERSIGN_ACCESS_KEY_ID",
    "COUNTERSIGN_ACCESS_KEY_SECRET",
    "COUNTERSIGN_SECURITY_TOKEN",
)
"""Variables that make an SDK or a tool act for another account, take a token along, or call elsewhere."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def without_proxy(names: str) -> str:
    """A value for NO_PROXY that also has this machine's own names."""
    listed = [name.strip() for name in names.split(",") if name.strip()]
    return ",".join(listed + [name for name in LOOPBACK if name not in listed])
