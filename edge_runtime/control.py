"""Carries out what is asked of a running service, between two frames: pause, resume, reload, selftest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final

from edge_runtime.commands import Command, CommandAnswer, CommandResult, Proof
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.interfaces import Message
from edge_runtime.output_settings import CommandName
from edge_runtime.payloads import rfc3339
from edge_runtime.session import Reload, Session
from edge_runtime.surroundings import Surroundings

logger = logging.getLogger(__name__)

REFUSED: Final = "the new configuration is not used"


class Control:
    """The main loop's thread owns it. What must outlive a reload is in the session."""

    def __init__(
        self,
        device_id: str,
        *,
        session: Session,
        around: Surroundings,
        send: Callable[[Message], None],
        selftest: Callable[[], Iterable[Proof]],
    ) -> None:
        """Do nothing yet.

        Args:
            device_id: speaks in the answers.
            session: keeps what was asked for.
            around: the inbox of commands, and what loads the configuration.
            send: gives an answer to the sinks.
            selftest: asks the nets for their recorded answers.
        """
        self._device_id = device_id
        self._session, self._around, self._send, self._selftest = session, around, send, selftest
        self._actions: dict[CommandName, Callable[[Command], None]] = {
            "pause": self._pause,
            "resume": self._resume,
            "reload": self._reload,
            "selftest": self._prove,
        }

    def attend(self) -> None:
        """Do what was asked for since the last call; what comes behind a reload waits until that is settled."""
        session = self._session
        while session.wanted is None and session.reload is None and (command := self._around.inbox.take()) is not None:
            logger.info("%s, asked for by %s", command.name, "a signal" if command.by_signal else "MQTT")
            self._actions[command.name](command)

    def now_paused(self) -> None:
        """Answer those who asked for a pause: the camera is closed."""
        waiting, self._session.waits_for_pause = self._session.waits_for_pause, []
        for command in waiting:
            self._answer(command, ok=True, message="paused; a camera is closed until resume or a restart")

    def settle_reload(self) -> str | None:
        """Finish a reload, now that the service is up: the new configuration is in use, or the old one again.

        Returns:
            What to tell in a system event; None when no reload was on its way.
        """
        reload, self._session.reload = self._session.reload, None
        if reload is None:
            return None
        if reload.refused is None:
            self._session.refusal = None
            return self._told(reload.command, ok=True, message="the configuration was loaded again and is in use")
        return self._refuse(reload.command, reload.refused)

    def _pause(self, command: Command) -> None:
        self._session.paused = True
        self._session.waits_for_pause.append(command)

    def _resume(self, command: Command) -> None:
        was_paused, self._session.paused = self._session.paused, False
        self.now_paused()
        told = "reading goes on; the status says when the camera is open" if was_paused else "was not paused"
        self._answer(command, ok=True, message=told)

    def _reload(self, command: Command) -> None:
        if self._around.load is None:
            self._answer(command, ok=False, message="this program has no configuration file to load again")
            return
        self._around.heartbeat.reloading()
        try:
            self._session.wanted = self._around.load()
        except EdgeRuntimeError as error:
            self._session.reload = Reload(command, refused=str(error))
            return
        self._session.reload = Reload(command)

    def _refuse(self, command: Command, why: str) -> str:
        self._session.refusal = f"{REFUSED}: {why}"
        logger.error("%s; the old one is kept: %s", REFUSED, why)
        return self._told(command, ok=False, message=f"{self._session.refusal}; the old one is kept")

    def _told(self, command: Command, *, ok: bool, message: str) -> str:
        self._answer(command, ok=ok, message=message)
        return message

    def _prove(self, command: Command) -> None:
        proofs = tuple(self._selftest())
        failed = [proof.subject for proof in proofs if not proof.passed]
        told = f"failed: {', '.join(failed)}" if failed else f"{len(proofs)} nets give their recorded answers"
        self._answer(command, ok=not failed, message=told, proofs=proofs)

    def _answer(self, command: Command, *, ok: bool, message: str, proofs: tuple[Proof, ...] | None = None) -> None:
        if command.by_signal:
            return
        result = CommandResult(
            device_id=self._device_id,
            time=rfc3339(self._around.clock.utc()),
            command=command.name,
            ok=ok,
            message=message,
            id=command.id,
            proofs=proofs,
        )
        self._send(CommandAnswer(result, command.reply_to))
