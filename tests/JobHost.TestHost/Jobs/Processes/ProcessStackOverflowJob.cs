namespace JobHost.TestHost.Jobs.Processes;

/// <summary>What no catch can catch. The runtime writes a long trace to stderr and dies by SIGABRT.</summary>
internal sealed class ProcessStackOverflowJob : IThreadJob<NoParameters>
{
    public object? Run(NoParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        return Deeper(0);
    }

    // The addition keeps the call from becoming a jump.
    private static int Deeper(int depth) => depth < 0 ? 0 : Deeper(depth + 1) + 1;
}
