using System.Diagnostics;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace JobHost.TestHost.Jobs;

/// <summary>
/// The side counter of a job: a file that grows for as long as its code runs. A test that reads it sees from outside what no
/// state of the run can fake. Takes no lock, because the code that calls it may be aborted at any instruction.
/// </summary>
/// <param name="path">An absolute path, or null to count nothing.</param>
internal sealed class Marker(string? path) : IDisposable
{
    /// <summary>How often a beat is written, and how long polling loops nap.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    private readonly SafeFileHandle? file = path is null ? null : AppendOnlyFile.Open(path);
    private long lastBeat;
    private bool isMidLine;

    /// <summary>"Still here": one dot, at most every <see cref="Interval"/>, however often it is called.</summary>
    internal void Beat()
    {
        if (file is null || (lastBeat != 0 && Stopwatch.GetElapsedTime(lastBeat) < Interval))
        {
            return;
        }
        lastBeat = Stopwatch.GetTimestamp();
        isMidLine = true;
        AppendOnlyFile.Append(file, "."u8);
    }

    /// <summary>A line of its own, for a moment that a test waits for.</summary>
    internal void WriteLine(string line)
    {
        if (file is not null)
        {
            AppendOnlyFile.Append(file, Encoding.UTF8.GetBytes($"{(isMidLine ? "\n" : "")}{line}\n"));
            isMidLine = false;
        }
    }

    public void Dispose() => file?.Dispose();
}
