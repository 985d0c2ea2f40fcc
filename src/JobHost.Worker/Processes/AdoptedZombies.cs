using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using JobHost.Worker.Native;

namespace JobHost.Worker.Processes;

/// <summary>
/// Reaps the dead that a worker has adopted, so that a job whose programs leave children behind does not use up the numbers of
/// the system. Only those that nobody has waited for in a while: a child that the job's code started itself is waited for by
/// that code, and at once. A crowd is not waited for long: a program that forks without end fills the system in seconds.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "There is one, for as long as the process lives.")]
internal sealed class AdoptedZombies
{
    private const int Crowd = 100;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly ManualResetEventSlim never = new();
    private Dictionary<(int Pid, long StartTime), long> dead = [];
    private volatile int own;

    /// <summary>A child that the worker itself waits for.</summary>
    internal int Own
    {
        set => own = value;
    }

    /// <summary>Begins to reap, on a thread of its own, for as long as the process lives.</summary>
    /// <param name="when">What it waits for first, if anything.</param>
    internal void Begin(ManualResetEventSlim? when = null) =>
        new Thread(() =>
        {
            when?.Wait();
            while (!never.Wait(Interval))
            {
                while (Look())
                {
                    // A crowd grows while it is buried.
                }
            }
        })
        {
            Name = "jobhost-reaper",
            IsBackground = true,
        }.Start();

    /// <returns>True when there was a crowd.</returns>
    private bool Look()
    {
        if (!Children.HasDead())
        {
            dead.Clear();
            return false;
        }
        var children = Children.List() ?? [];
        if (children.Count > Crowd)
        {
            // Reading about each would take longer than it takes them to become more.
            foreach (var pid in children.Where(pid => pid != own))
            {
                Children.TryReap(pid);
            }
            return true;
        }
        var now = Stopwatch.GetTimestamp();
        var found = new Dictionary<(int, long), long>();
        foreach (var entry in children.Where(pid => pid != own).Select(ProcFs.Read).OfType<ProcessEntry>())
        {
            var key = (entry.Pid, entry.StartTime);
            if (
                entry.IsDead && !(dead.TryGetValue(key, out var since) && Expired(since) && Children.TryReap(entry.Pid))
            )
            {
                found[key] = dead.GetValueOrDefault(key, now);
            }
        }
        dead = found;
        return false;

        bool Expired(long since) => Stopwatch.GetElapsedTime(since, now) > Grace;
    }
}
