"""The exceptions of kgpipe: every message says what, where, what is allowed, and the fix."""


class KgpipeError(Exception):
    """Base of all errors a user can mend; the command line prints it in one line and exits with 1."""


class InputError(KgpipeError):
    """A file, folder, line or argument cannot be used as given."""


class SchemaError(KgpipeError):
    """A schema file is wrong, or names something it does not define."""


class ConfigError(KgpipeError):
    """A setting has an unknown name or a value outside what is allowed."""


class WorkspaceError(KgpipeError):
    """A workspace is locked, damaged or belongs to something else."""


class ModelError(KgpipeError):
    """A checkpoint is missing, damaged, or of another format version."""


class LMError(KgpipeError):
    """A generative language model gives no reply, or none that can be used."""


class ServerError(KgpipeError):
    """Our own Neo4j cannot be fetched, started or stopped."""


class StoreError(KgpipeError):
    """The graph store refuses: no connection, wrong password, or another workspace's database.

    `code` is Neo4j's own, such as `Neo.ClientError.Statement.SyntaxError`; empty where it gave none.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class StoreGone(StoreError):
    """No server answers where the store is."""


class QueryRefused(KgpipeError):
    """The guard does not let this query run; the message names the operator or clause."""


class TooManyFailures(KgpipeError):
    """More documents or passages failed than `max_failed` allows."""
