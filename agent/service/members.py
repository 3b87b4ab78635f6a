"""Steps that make the service's user and group, and put people into the group."""

from pathlib import Path

from agent.service.accounts import NAME, Accounts, sysusers_text


class MakeUser:
    """The user and the group that the service runs as: nobody logs in as it, it has no home."""

    def __init__(self, accounts: Accounts, sysusers: Path | None) -> None:
        self._accounts = accounts
        self._sysusers = sysusers
        self._had_user = self._had_group = True
        self._joined: list[str] = []
        self._had_file = True
        groups = ", ".join(accounts.wanted_groups())
        also = f", in group {groups} for serial ports" if groups else ""
        self.sentence = f"make the user and the group {NAME!r} (no login, no home){also}"
        self.detail = sysusers_text(accounts.wanted_groups()) if sysusers else ""
        self.is_action = False

    def _missing_groups(self) -> list[str]:
        groups = map(self._accounts.group, self._accounts.wanted_groups())
        return [group.name for group in groups if group and NAME not in group.members]

    def is_done(self) -> bool:
        has_both = self._accounts.user(NAME) is not None and self._accounts.group(NAME) is not None
        return has_both and not self._missing_groups()

    def do(self) -> str:
        self._had_user = self._accounts.user(NAME) is not None
        self._had_group = self._accounts.group(NAME) is not None
        self._had_file = self._sysusers is not None and self._sysusers.exists()
        self._joined = self._missing_groups() if self._had_user else []
        self._accounts.make(self._sysusers)
        return ""

    def undo(self) -> str:
        if self._sysusers is not None and not self._had_file:
            self._sysusers.unlink(missing_ok=True)
        if not self._had_user and not self._had_group:
            self._accounts.remove()
        for group in self._joined:
            self._accounts.remove_member(NAME, group)
        return ""


class AddMember:
    """A person may use every command: the data and the configuration are the group's to read."""

    def __init__(self, accounts: Accounts, user: str) -> None:
        self._accounts = accounts
        self._user = user
        self._has_added = False
        self.sentence = f"put {user} into the group {NAME!r}, who may then use every command"
        self.detail = ""
        self.is_action = False

    def is_done(self) -> bool:
        group = self._accounts.group(NAME)
        return group is not None and self._user in group.members

    def do(self) -> str:
        self._accounts.add_member(self._user, NAME)
        self._has_added = True
        return "log in again for that to count"

    def undo(self) -> str:
        if self._has_added:
            self._accounts.remove_member(self._user, NAME)
        return ""
