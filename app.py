"""Everything that can wake Standpipe. What happens then is one jump away: web/ for HTTP and for the clock, engine/ for the trips behind both."""

from chalice import Chalice, Rate
from chalice.app import CloudWatchEvent, SQSEvent

from chalicelib.domain.settings import stage_name
from chalicelib.web import background, fallback
from chalicelib.web.accounts_api import accounts_api
from chalicelib.web.api import api
from chalicelib.web.dashboard_routes import dashboard
from chalicelib.web.described import described
from chalicelib.web.events_api import events_api
from chalicelib.web.handoff import handoff_pages
from chalicelib.web.installations_api import installations_api
from chalicelib.web.organizations_api import organizations_api
from chalicelib.web.pages import pages
from chalicelib.web.registrations_api import registrations_api
from chalicelib.web.simulator_routes import simulator_routes
from chalicelib.web.static_files import static_files
from chalicelib.web.webhooks_api import webhooks_api
from chalicelib.web.widgets_admin_api import widgets_admin_api
from chalicelib.web.widgets_api import widgets_api

app = Chalice(app_name="standpipe")
queues = f"standpipe-{stage_name()}"  # made by .chalice/resources.json

app.register_blueprint(api)  # the application's backend: authorize, finish, fetch
app.register_blueprint(accounts_api)  # connected accounts: look, import, disconnect
app.register_blueprint(installations_api)  # API keys and client credentials
app.register_blueprint(registrations_api)  # providers: configure, list
app.register_blueprint(organizations_api)  # what an organization sets for itself; widget tokens
app.register_blueprint(events_api)  # what happened, for who asks
app.register_blueprint(webhooks_api)  # and for who is told
app.register_blueprint(widgets_api)  # the widget in front of one person
app.register_blueprint(widgets_admin_api)  # and in front of an organization's administrator
app.register_blueprint(described)  # all of these as an OpenAPI document
app.register_blueprint(pages)  # the person's browser: connect, confirm, callback
app.register_blueprint(handoff_pages)  # the widget's popup
app.register_blueprint(simulator_routes)  # a sandbox's own authorization servers; answers 404 in production
app.register_blueprint(static_files)
app.register_blueprint(dashboard)  # the administrator's browser

fallback.mount(app)


@app.schedule(Rate(1, unit=Rate.MINUTES), name="sweep")
def sweep(event: CloudWatchEvent) -> None:
    """Who is due is told to the workers; what waits in the outbox is told to the product."""
    background.sweep(event.context)


@app.on_sqs_message(queue=f"{queues}-refresh", batch_size=1, name="refresh", maximum_concurrency=100)
def refresh(event: SQSEvent) -> None:
    """A worker: up to twenty connections of one provider. A flood of them must leave the account's functions to the API."""
    background.refresh(event)


@app.on_sqs_message(queue=f"{queues}-rescue", batch_size=1, name="rescue")
def rescue(event: SQSEvent) -> None:
    """Tokens that were got and could not be stored."""
    background.rescue(event)


@app.on_sqs_message(queue=f"{queues}-revoke", batch_size=1, name="revoke")
def revoke(event: SQSEvent) -> None:
    """Grants that nobody keeps any more."""
    background.revoke(event)


@app.on_sqs_message(queue=f"{queues}-webhook", batch_size=1, name="webhook", maximum_concurrency=50)
def webhook(event: SQSEvent) -> None:
    """One event for one endpoint. Receivers that hang must leave the account's functions to the API."""
    background.webhook(event)


@app.schedule(Rate(15, unit=Rate.MINUTES), name="repair")
def repair(event: CloudWatchEvent) -> None:
    """Goes on with the day's look at every row."""
    background.repair(event.context)
