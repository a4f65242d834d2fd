"""Everything that can wake Standpipe. What happens then is one jump away: web/ for HTTP, engine/ for the trips behind it."""

from chalice import Chalice

from chalicelib.web import fallback
from chalicelib.web.api import api
from chalicelib.web.pages import pages
from chalicelib.web.registrations_api import registrations_api
from chalicelib.web.simulator_routes import simulator_routes
from chalicelib.web.static_files import static_files

app = Chalice(app_name="standpipe")

app.register_blueprint(api)  # the application's backend: authorize, finish, fetch, disconnect
app.register_blueprint(registrations_api)  # providers: configure, list
app.register_blueprint(pages)  # the person's browser: connect, confirm, callback
app.register_blueprint(simulator_routes)  # a sandbox's own authorization servers; answers 404 in production
app.register_blueprint(static_files)

fallback.mount(app)
