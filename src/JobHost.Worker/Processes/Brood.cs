using System.Diagnostics;
using JobHost.Worker.Native;

namespace JobHost.Worker.Processes;

// Why nobody escapes. Every worker is a child of ours and adopts the orphans of its own tree. When it ends, the kernel gives
// its children to the next adopter above, which is this process, before the worker can be waited for. From then on whoever
// is left of its tree is below one of our children, and whenever one of those ends, its children become ours. They can fork,
// leave their session, their group and their environment, and stop each other: they cannot choose another parent.
//
// Why an empty look is a proof. Only we can take a child off the list (by reaping), and only between two looks. A child that
// is on the list and dies during the look stays on it as a zombie; whoever it leaves to us is on the next list. So a look
// that finds nobody of a tree means that there is nobody.
//
// Whose is he? An orphan in the session of an ended worker is that worker's, as no process can enter a session from outside.
// One that made its own session belongs to one of those that had ended, unproven, when he was first seen; he holds up the
// proof of all of them. So a process that withstands SIGKILL holds up its own run and none that ended later. A worker may have
// ended a moment before anybody was told: the orphan is then his, too, as soon as that is known.

/// <summary>
/// The children of this process: the workers, and whom ended workers left behind, who are killed. For a process whose other
/// children, if it has any, are named. Used by one thread at a time.
/// </summary>
internal sealed class Brood
{
    private const int Crowd = 100;

    // After so many looks that did not end it, whoever is met is shot first and read about afterwards.
    private const int GentleLooks = 3;

    // From when on somebody who withstands is looked at more closely.
    private const int StubbornRounds = 20;

    private readonly Dictionary<int, Ward> living = [];
    private readonly List<Ward> unproven = [];
    private readonly Dictionary<int, Orphan> orphans = [];
    private readonly HashSet<int> others = [];
    private readonly int ownGroup = ProcFs.Read(Environment.ProcessId)?.Group ?? 0;
    private int looksInVain;

    /// <summary>Whether the end of a worker's tree is not proven yet.</summary>
    internal bool IsSweeping => unproven.Count > 0;

    /// <summary>A worker that lives.</summary>
    internal void Add(Ward worker) => living.Add(worker.Pid, worker);

    /// <summary>A child that is neither a worker nor left by one.</summary>
    internal void AddOther(int pid) => others.Add(pid);

    /// <inheritdoc cref="AddOther"/>
    internal void RemoveOther(int pid) => others.Remove(pid);

    /// <summary>
    /// A worker has ended; who is left of its tree is swept from the next look on. It must not be reaped: until the proof its
    /// number stands for its session, which nobody else may be given meanwhile.
    /// </summary>
    internal void Ended(Ward worker)
    {
        living.Remove(worker.Pid);
        unproven.Add(worker);
        foreach (var orphan in orphans.Values)
        {
            orphan.NoteEnd(worker);
        }
    }

    /// <summary>Looks once through the children, kills the orphans that live and reaps those that are dead.</summary>
    /// <returns>The workers of whose trees it is now proven that nobody is left.</returns>
    internal IReadOnlyList<Ward> Look()
    {
        if (unproven.Count > 0 && ++looksInVain > GentleLooks)
        {
            // Who survived some looks may be one who forks faster than he can be read about.
            Children.Strike(pid => living.ContainsKey(pid) || others.Contains(pid));
        }
        var held = new HashSet<Ward>();
        if (Children.List() is not { } listed)
        {
            return [];
        }
        // Whoever left one of those listed had ended before they were; and not all of these ends have been told.
        var untold = new Lazy<HashSet<int>>(() => [.. living.Keys.Concat(others).Where(Children.IsDead)]);
        foreach (var pid in listed)
        {
            if (living.ContainsKey(pid) || others.Contains(pid) || unproven.Exists(worker => worker.Pid == pid))
            {
                continue;
            }
            if (!orphans.TryGetValue(pid, out var orphan))
            {
                // In a crowd the dead are buried unread: reading would take longer than it takes them to become more. One who
                // cannot be read, dead or alive, may be anybody's: by this look nobody's end is proven.
                if ((listed.Count > Crowd && Children.TryReap(pid)) || ProcFs.Read(pid) is not { } entry)
                {
                    held.UnionWith(unproven);
                    continue;
                }
                orphan = Know(entry, untold);
            }
            held.UnionWith(orphan.Owners);
            if (Children.TryReap(pid))
            {
                orphans.Remove(pid);
            }
            else
            {
                Kill(pid, orphan);
            }
        }
        var proven = unproven.Where(worker => !held.Contains(worker)).ToList();
        foreach (var worker in proven)
        {
            unproven.Remove(worker);
            Children.TryReap(worker.Pid);
        }
        looksInVain = unproven.Count == 0 ? 0 : looksInVain;
        return proven;
    }

    /// <summary>Who is left of an ended worker's tree, with all below them.</summary>
    internal IReadOnlyList<ProcessEntry> Survivors(Ward worker) =>
        [
            .. orphans
                .Where(pair => pair.Value.Owners.Contains(worker))
                .SelectMany(pair => ProcFs.Tree(pair.Key))
                .DistinctBy(entry => entry.Pid),
        ];

    private Orphan Know(ProcessEntry entry, Lazy<HashSet<int>> untold)
    {
        var own = unproven.Find(worker => worker.Pid == entry.Session);
        var orphan =
            own is not null ? new Orphan(entry, [own], [])
            : living.ContainsKey(entry.Session) || others.Contains(entry.Session)
                ? new Orphan(entry, [], [entry.Session])
            : new Orphan(entry, unproven, untold.Value) { MayBeAnybodys = true };
        orphans.Add(entry.Pid, orphan);
        return orphan;
    }

    private void Kill(int pid, Orphan orphan)
    {
        _ = Libc.kill(pid, Signals.Kill);
        if (orphan.Rounds++ % StubbornRounds != 0 || ProcFs.Read(pid) is not { } entry)
        {
            return;
        }
        // One call that no fork can race with. The number of the group is his for as long as he is in it.
        if (entry.Group > 1 && entry.Group != ownGroup && !living.ContainsKey(entry.Group))
        {
            Signals.SendToGroup(entry.Group, Signals.Kill);
        }
        if (orphan.Rounds > StubbornRounds)
        {
            FrozenProcess.Thaw(pid);
        }
    }

    /// <summary>Kills and reaps every child, for a process that is about to end and has no workers.</summary>
    /// <param name="bound">How long to try.</param>
    /// <param name="settling">For how long there must have been none.</param>
    internal static void KillAll(TimeSpan bound, TimeSpan settling = default)
    {
        var brood = new Brood();
        brood.unproven.Add(new Ward(0, Ward.Reaped));
        var since = Stopwatch.GetTimestamp();
        var emptySince = since;
        while (Stopwatch.GetElapsedTime(since) < bound)
        {
            if (Children.List() is not { Count: 0 })
            {
                brood.Look();
                emptySince = Stopwatch.GetTimestamp();
            }
            else if (Stopwatch.GetElapsedTime(emptySince) >= settling)
            {
                return;
            }
            Thread.Yield();
        }
    }

    private sealed class Orphan
    {
        private readonly ProcessEntry entry;
        private readonly List<Ward> owners = [];
        private readonly HashSet<int> suspects;

        /// <param name="entry">Who it is.</param>
        /// <param name="owners">Those one of whom left it.</param>
        /// <param name="suspects">The numbers of those who may have, and whose end has not been told yet.</param>
        internal Orphan(ProcessEntry entry, IEnumerable<Ward> owners, IEnumerable<int> suspects)
        {
            this.entry = entry;
            this.suspects = [.. suspects];
            foreach (var owner in owners)
            {
                Hold(owner);
            }
        }

        internal IReadOnlyList<Ward> Owners => owners;

        /// <summary>Whether his session does not say whose he is.</summary>
        internal bool MayBeAnybodys { get; init; }

        internal int Rounds { get; set; }

        internal void NoteEnd(Ward worker)
        {
            if (suspects.Remove(worker.Pid) || (MayBeAnybodys && worker.Pid == Ward.Reaped))
            {
                Hold(worker);
            }
        }

        private void Hold(Ward owner)
        {
            owners.Add(owner);
            owner.Leave(entry);
        }
    }
}

/// <summary>A worker, as the process knows it that looks after it.</summary>
internal sealed class Ward(long id, int pid)
{
    /// <summary>In the place of the number of a worker that somebody else has reaped: it says nothing of sessions any more.</summary>
    internal const int Reaped = -1;

    private const int MaxKept = 500;

    private readonly List<ProcessEntry> leftovers = [];

    /// <summary>What the host calls it.</summary>
    internal long Id => id;

    internal int Pid => pid;

    /// <summary>Whom it left behind, so many of them.</summary>
    internal IReadOnlyList<ProcessEntry> Leftovers => leftovers;

    internal int LeftoverCount { get; private set; }

    /// <summary>For whoever looks after several on behalf of others.</summary>
    internal bool IsProvenGone { get; set; }

    internal void Leave(ProcessEntry entry)
    {
        if (entry.IsDead)
        {
            // A child that the worker's code did not wait for: nothing that runs.
            return;
        }
        LeftoverCount++;
        if (leftovers.Count < MaxKept)
        {
            leftovers.Add(entry);
        }
    }
}
