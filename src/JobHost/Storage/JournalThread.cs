namespace JobHost.Storage;

/// <summary>
/// The one thread that writes. Group commit: whatever has arrived while the last transaction was going to disk goes into the
/// next one together, so many producers share one flush and none waits for a timer.
/// </summary>
internal sealed class JournalThread<TWrite>
{
    // Nobody is to wait for all of a long queue.
    private const int MaxBatch = 1000;

    private readonly object gate = new();
    private readonly Action<IReadOnlyList<TWrite>> writeAll;
    private readonly Thread thread;
    private List<TWrite> arrived = [];
    private bool isClosed;

    /// <param name="writeAll">Writes a batch; never throws.</param>
    internal JournalThread(Action<IReadOnlyList<TWrite>> writeAll)
    {
        this.writeAll = writeAll;
        thread = new(Work) { Name = "jobhost-journal", IsBackground = true };
        thread.Start();
    }

    /// <returns>False where it is closed.</returns>
    internal bool TryAdd(TWrite write)
    {
        lock (gate)
        {
            if (isClosed)
            {
                return false;
            }
            arrived.Add(write);
            if (arrived.Count == 1)
            {
                Monitor.Pulse(gate);
            }
        }
        return true;
    }

    /// <summary>Takes nothing more, and returns when what is queued is written.</summary>
    /// <returns>False where it was closed before.</returns>
    internal bool Close()
    {
        lock (gate)
        {
            if (isClosed)
            {
                return false;
            }
            isClosed = true;
            Monitor.Pulse(gate);
        }
        thread.Join();
        return true;
    }

    /// <summary>Takes what has arrived and will not be written. To be called while a batch is being written.</summary>
    internal void Drop(Action<TWrite> fail)
    {
        List<TWrite> dropped;
        lock (gate)
        {
            (dropped, arrived) = (arrived, []);
        }
        dropped.ForEach(fail);
    }

    private void Work()
    {
        var batch = new List<TWrite>();
        while (TakeArrived(ref batch))
        {
            for (var done = 0; done < batch.Count; done += MaxBatch)
            {
                writeAll(batch.Count <= MaxBatch ? batch : batch.Slice(done, Math.Min(MaxBatch, batch.Count - done)));
            }
            batch.Clear();
        }
    }

    /// <summary>Waits until something has arrived, and takes all of it.</summary>
    /// <returns>False where it is closed and nothing is left.</returns>
    private bool TakeArrived(ref List<TWrite> batch)
    {
        lock (gate)
        {
            // A monitor, as a wait for one does not spin: what it would win here others lose, who make what is waited for.
            while (arrived.Count == 0 && !isClosed)
            {
                Monitor.Wait(gate);
            }
            (batch, arrived) = (arrived, batch);
        }
        return batch.Count > 0;
    }
}
