namespace JobHost.TestHost.Jobs.Processes;

/// <summary>Output that is no text: every byte there is, NUL and broken UTF-8 included, and no newline at the end.</summary>
internal sealed class ProcessBinaryOutputJob : IThreadJob<NoParameters>
{
    public object? Run(NoParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        byte[] everything = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];
        using var stdout = Console.OpenStandardOutput();
        using var stderr = Console.OpenStandardError();
        stdout.Write(everything);
        stderr.Write([.. everything.Reverse()]);
        return null;
    }
}
