namespace JobHost.Benchmarks.Starts;

/// <summary>A job that does nothing: what is left is what JobHost does.</summary>
internal static class NoopJob
{
    internal const string Name = "noop";

    internal static void Add(JobsBuilder jobs) =>
        jobs.Add(Name, () => Task.CompletedTask, job => job.QueueLimit = 1_000_000);
}
