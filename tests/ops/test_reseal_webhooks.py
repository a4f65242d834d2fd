"""A new KMS key and the secrets of webhook endpoints: sealed anew like everything else, while receivers are called."""

from chalicelib.domain.events import TYPES
from chalicelib.doors.webhooks import facts_of, open_secret
from chalicelib.engine.webhooks import Caller
from tests.cloud import Stage
from tests.ops.key_changes import Change

OWNER = Caller("key_1")


def test_a_webhook_secret_is_sealed_with_the_current_key_and_stays_the_same(stage: Stage) -> None:
    change = Change(stage)
    one, secret = change.before.webhooks.create("https://hooks.example.com/before", TYPES, OWNER)
    other, new = change.after.webhooks.create("https://hooks.example.com/after", TYPES, OWNER)
    before = change.after.webhooks.get(one.id, OWNER)
    report = change.run()

    assert (report.resealed, report.failed, report.is_done) == (1, [], True)
    after = change.after.webhooks.get(one.id, OWNER)
    assert (after.version, after.updated_at, after.last_four) == (before.version, before.updated_at, before.last_four)
    change.kms.disable_key(KeyId=change.former)
    for endpoint, kept in ((after, secret), (other, new)):
        assert change.without_the_former.open(endpoint.sealed, facts_of(endpoint.id)) == {"secret": kept.reveal()}
        assert open_secret(change.after.sealer, endpoint).reveal() == kept.reveal()
    assert change.run().resealed == 0
