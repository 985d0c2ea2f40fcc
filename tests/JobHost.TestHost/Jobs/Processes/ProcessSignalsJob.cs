namespace JobHost.TestHost.Jobs.Processes;

/// <summary>Tells which signals it ignores and blocks, as hexadecimal masks: what the host ignores must not be inherited.</summary>
internal sealed class ProcessSignalsJob : IThreadJob<NoParameters>
{
    public object? Run(NoParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
        {
            return new Skipped("/proc is needed.");
        }
        return File.ReadLines("/proc/self/status")
            .Select(line => line.Split(":\t"))
            .Where(field => field[0] is "SigIgn" or "SigBlk")
            .ToDictionary(field => field[0], field => field[1], StringComparer.Ordinal);
    }
}
