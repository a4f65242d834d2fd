"""Everything that can wake Standpipe. What happens then is one jump away: web/ for HTTP and for the clock, engine/ for the trips behind both."""

from chalice import Chalice, Rate
from chalice.app import CloudWatchEvent, SQSEvent

from chalicelib.domain.settings import stage_name
from chalicelib.web import background, fallback
from chalicelib.web.api import api
from chalicelib.web.pages import pages
from chalicelib.web.registrations_api import registrations_api
from chalicelib.web.simulator_routes import simulator_routes
from chalicelib.web.static_files import static_files

app = Chalice(app_name="standpipe")
queues = f"standpipe-{stage_name()}"  # made by .chalice/resources.json

app.register_blueprint(api)  # the application's backend: authorize, finish, fetch, disconnect
app.register_blueprint(registrations_api)  # providers: configure, list
app.register_blueprint(pages)  # the person's browser: connect, confirm, callback
app.register_blueprint(simulator_routes)  # a sandbox's own authorization servers; answers 404 in production
app.register_blueprint(static_files)

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


@app.schedule(Rate(15, unit=Rate.MINUTES), name="repair")
def repair(event: CloudWatchEvent) -> None:
    """Goes on with the day's look at every row."""
    background.repair(event.context)
