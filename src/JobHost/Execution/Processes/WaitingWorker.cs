using JobHost.Worker.Protocol;

namespace JobHost.Execution.Processes;

/// <summary>A worker that has no assignment yet.</summary>
internal sealed class WaitingWorker
{
    /// <param name="tree">The worker, from which nothing has been read.</param>
    /// <param name="since">When it was started, as a timestamp.</param>
    internal WaitingWorker(ProcessTree tree, long since)
    {
        Tree = tree;
        Since = since;
        Ready = HearAsync();
    }

    internal ProcessTree Tree { get; }

    internal long Since { get; }

    /// <summary>Whether a run has it now; what becomes of it is the run's to see to.</summary>
    internal bool IsTaken { get; set; }

    /// <summary>Whether it has said that it waits, and so far lives.</summary>
    internal bool IsReady => Ready is { IsCompleted: true, Result: true } && !Tree.RootEnded.IsCompleted;

    /// <summary>
    /// Completes when the worker has said that it waits; with false where it never will. An assignment that is sent to it before
    /// makes it hurry.
    /// </summary>
    internal Task<bool> Ready { get; }

    /// <summary>What it said instead, in words for the run's error; null where it said nothing, and has ended.</summary>
    internal string? Violation { get; private set; }

    private async Task<bool> HearAsync()
    {
        try
        {
            switch (await Frame.ReadAsync(Tree.FromWorker, CancellationToken.None))
            {
                case ReadyMessage:
                    return true;
                case { } other:
                    Violation = $"A worker may not send '{other.GetType().Name}' first.";
                    break;
            }
        }
        catch (InvalidDataException problem)
        {
            Violation = problem.Message;
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException)
        {
            // It has ended, which its tree tells.
        }
        return false;
    }
}
