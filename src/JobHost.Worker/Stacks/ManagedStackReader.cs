using System.Diagnostics;
using JobHost.Worker.Native;
using Microsoft.Diagnostics.Runtime;

namespace JobHost.Worker.Stacks;

// A process cannot read its own stacks, and a worker has no diagnostics port, on purpose. So they are read from outside, by
// ptrace, through the debugging library that lies beside the runtime of the process that is looked at: all of that process
// stands still meanwhile, a tenth of a second as a rule.
//
// A thread that waits is found with its whole stack. One that runs may be in the native code of the runtime at that moment,
// which cannot be walked through: then it is looked at again, a few times, and in between it runs on.

/// <summary>Reads where the managed threads of another process are.</summary>
internal static class ManagedStackReader
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private const int MaxLooks = 8;
    private const int MaxThreads = 200;
    private const int MaxFramesOfThread = 100;
    private const int MaxFrames = 2000;
    private const int MaxFrameLength = 256;

    /// <param name="pid">The process.</param>
    /// <param name="bound">Within how long. Only half of it is used to look again.</param>
    internal static ManagedStacks Read(int pid, TimeSpan bound)
    {
        var since = Stopwatch.GetTimestamp();
        try
        {
            using var never = new ManualResetEventSlim();
            var threads = ProcFs.Threads(pid);
            var running = threads.Where(thread => thread.Value.State == 'R').Select(thread => thread.Key).ToHashSet();
            var best = new SortedDictionary<int, Seen>();
            for (var look = 0; look < MaxLooks; look++)
            {
                if (look > 0)
                {
                    if (!best.Values.Any(IsMissed) || Stopwatch.GetElapsedTime(since) > bound / 2)
                    {
                        break;
                    }
                    never.Wait(Pause);
                }
                if (Look(pid, threads, best) is { } problem)
                {
                    return ManagedStacks.None(problem);
                }
            }
            return new(Bounded(best.Values), Why: null);

            bool IsMissed(Seen thread) => !thread.HasCode && running.Contains(thread.SystemId);
        }
        catch (Exception problem)
        {
            // Whatever the debugging library says to a process that is ending, or is not ours to look at, is the answer.
            return ManagedStacks.None($"they cannot be read: {problem.Message}");
        }
    }

    private static string? Look(
        int pid,
        IReadOnlyDictionary<int, ThreadEntry> threads,
        SortedDictionary<int, Seen> best
    )
    {
        using var attached = DataTarget.AttachToProcess(pid, suspend: true);
        using var target = new DataTarget(new TranslatingReader(attached.DataReader, threads), attached.Options);
        if (target.ClrVersions is not [var clr, ..])
        {
            return "no .NET runtime is in the process";
        }
        var library = Path.Combine(Path.GetDirectoryName(clr.ModuleInfo.FileName)!, "libmscordaccore.so");
        if (!File.Exists(library))
        {
            return "the runtime's debugging library is not installed beside it";
        }
        // It lies beside the runtime and so belongs to it, which cannot be told from what is mapped into the process.
        using var runtime = clr.CreateRuntime(library, ignoreMismatch: true);
        foreach (var thread in runtime.Threads.Where(thread => thread.IsAlive).Take(MaxThreads))
        {
            if (!best.TryGetValue(thread.ManagedThreadId, out var known) || !known.HasCode)
            {
                best[thread.ManagedThreadId] = Seen.Of(thread);
            }
        }
        return null;
    }

    private static List<ManagedThread> Bounded(IEnumerable<Seen> seen)
    {
        var left = MaxFrames;
        var threads = new List<ManagedThread>();
        foreach (var thread in seen)
        {
            threads.Add(new(thread.ManagedId, thread.SystemId, [.. thread.Frames.Take(left)]));
            left -= threads[^1].Frames.Count;
        }
        return threads;
    }

    /// <summary>A thread as one look found it.</summary>
    private sealed record Seen(int ManagedId, int SystemId, bool HasCode, IReadOnlyList<string> Frames)
    {
        internal static Seen Of(ClrThread thread)
        {
            var frames = thread.EnumerateStackTrace().Take(MaxFramesOfThread).ToList();
            return new(
                thread.ManagedThreadId,
                (int)thread.OSThreadId,
                frames.Exists(frame => frame.Method is not null),
                [
                    .. frames
                        .Select(frame => frame.Method?.Signature ?? frame.FrameName)
                        .OfType<string>()
                        .Select(frame => frame.Length <= MaxFrameLength ? frame : frame[..MaxFrameLength]),
                ]
            );
        }
    }
}
