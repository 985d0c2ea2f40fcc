using System.ComponentModel.DataAnnotations;
using System.Text;

namespace JobHost.TestHost.Jobs.Processes;

/// <summary>
/// Floods both of its streams at once. The host must read on after it has kept enough, or the job would wait for ever.
/// </summary>
internal sealed class ProcessHugeOutputJob : IThreadJob<ProcessHugeOutputParameters>
{
    public object? Run(ProcessHugeOutputParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        var toStderr = new Thread(() => Flood(Console.OpenStandardError(), parameters.Bytes)) { IsBackground = true };
        toStderr.Start();
        Flood(Console.OpenStandardOutput(), parameters.Bytes);
        toStderr.Join();
        return new { parameters.Bytes };
    }

    private static void Flood(Stream stream, long bytes)
    {
        // Lines of 64 bytes, so that whoever keeps whole lines can.
        var lines = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('x', 63) + '\n', 1024)));
        for (var left = bytes; left > 0; left -= lines.Length)
        {
            stream.Write(lines, 0, (int)Math.Min(left, lines.Length));
        }
    }
}

/// <param name="Bytes">How much goes to stdout, and as much again to stderr.</param>
internal sealed record ProcessHugeOutputParameters(
    [Range(typeof(long), "0", "10000000000")] long Bytes = 32 * 1024 * 1024
);
