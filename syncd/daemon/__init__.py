"""`syncd run`: cycles when they are due, for as long as it is let.

::

    service       the process: signals, the ticker, the service manager, the health server, the end       (the main thread)
    worker        a thread with a loop of its own, so that nothing that waits for the store keeps the main one from answering
    rounds        a tick: who is due, their cycles, what came of them; `trouble`: what keeps them all     (in the worker)
    elsewhere     what other processes keep from this one
    queued        the same where processes share what is due by a queue (`run --queue`); `queue`: that one, in the store's own database
    duties        who is due now, looked up again only when something moved
    due           when a connection is due, from its schedule and the store
    credentials   refused ones are read anew, once
    probing       whether a suspended connection can be used again
    telling       events for the log, numbers for the board
    notices       what a person is told, once until it is over; `posting` brings it to them, in a thread of its own
    systemd       what a service manager is told

The engine knows nothing of all this: what it needs is a clock that says when the process is asked to end (`Environment.ending`).
"""
