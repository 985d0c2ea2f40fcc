namespace JobHost.Benchmarks;

/// <summary>It cannot be measured here; says why, in a sentence without a capital.</summary>
internal sealed class BenchmarkException(string message) : Exception(message);
