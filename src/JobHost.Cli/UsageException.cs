namespace JobHost.Cli;

/// <summary>What was asked makes no sense; the message says why.</summary>
internal sealed class UsageException(string message) : Exception(message);
