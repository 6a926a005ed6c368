"""Where sockets connect."""

from django.urls import path, re_path

from chat.consumers import TalkConsumer, Unknown

websocket_urlpatterns = [
    path("ws/t/<uuid:conversation_id>/", TalkConsumer.as_asgi()),
    # Without it an unknown path is a traceback in the server's log.
    re_path(r"", Unknown.as_asgi()),
]
