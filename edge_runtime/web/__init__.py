"""The small web server: page, health, metrics. Off unless asked for; it starts threads, and none of them runs a net."""
