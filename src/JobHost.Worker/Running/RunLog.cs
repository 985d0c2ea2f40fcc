namespace JobHost.Worker.Running;

/// <summary>Whoever is told that there are lines. Job code tells it, so it takes no lock.</summary>
internal interface IRunLogListener
{
    /// <summary>There is another line.</summary>
    void Appended();
}

/// <summary>
/// Lines on their way from job code to whoever keeps them. Job code may be aborted at any instruction, so it never takes a
/// lock here: a line is pushed with one compare-and-swap, and somebody else comes to collect.
/// </summary>
internal sealed class RunLog
{
    // What an absent collector may cost at most.
    private const long MaxPendingCharacters = 4 * 1024 * 1024;

    /// <summary>Hears of each line; or null.</summary>
    internal IRunLogListener? Listener { get; set; }

    private Node? newest;
    private long pending;
    private long dropped;

    internal void Append(string line)
    {
        if (Interlocked.Add(ref pending, line.Length + 1) > MaxPendingCharacters)
        {
            Interlocked.Add(ref pending, -(line.Length + 1));
            Interlocked.Increment(ref dropped);
            return;
        }
        var node = new Node(line);
        do
        {
            node.Older = Volatile.Read(ref newest);
        } while (Interlocked.CompareExchange(ref newest, node, node.Older) != node.Older);
        // Each time: whoever was aborted after a line, and goes on, has told nobody of that one.
        Listener?.Appended();
    }

    /// <summary>Takes all lines, oldest first, and how many were dropped since the last time.</summary>
    internal IReadOnlyList<string> Take(out long lost)
    {
        lost = Interlocked.Exchange(ref dropped, 0);
        var node = Interlocked.Exchange(ref newest, null);
        if (node is null)
        {
            return [];
        }
        var lines = new List<string>();
        for (; node is not null; node = node.Older)
        {
            lines.Add(node.Line);
            Interlocked.Add(ref pending, -(node.Line.Length + 1));
        }
        lines.Reverse();
        return lines;
    }

    private sealed class Node(string line)
    {
        internal readonly string Line = line;
        internal Node? Older;
    }
}
