"""Why a run ended as it did, and what helps: the sentences of `verdict`, one module for each way to end."""
