namespace JobHost.Conformance;

/// <summary>The suite cannot do its work here; says why, in a sentence without a capital.</summary>
internal sealed class SuiteException(string message) : Exception(message);
