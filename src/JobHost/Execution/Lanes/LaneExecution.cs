using System.Collections.Immutable;
using JobHost.Runs;
using JobHost.Worker.InProcess;
using JobHost.Worker.Protocol;
using JobHost.Worker.Running;

namespace JobHost.Execution.Lanes;

/// <summary>An attempt that shares the worker process of its lane with others.</summary>
internal sealed class LaneExecution(ExecutionOrder order, LaneWorker worker, TimeProvider time) : RunExecution
{
    private readonly TaskCompletionSource<ExecutionEnd> end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool byTree;

    internal RunId Id => order.Run.Id;

    internal override Task<ExecutionEnd> Completion => end.Task;

    internal override string Mechanism => byTree && worker.Tree is { } tree ? tree.Mechanism : "lane";

    internal override int? ProcessId => worker.Tree?.Pid;

    internal override async Task<string?> ClimbAsync(
        Rung rung,
        StopNotice notice,
        TimeSpan grace,
        CancellationToken goOn
    )
    {
        switch (rung)
        {
            case Rung.Recycle:
                byTree = true;
                return await worker.RecycleAsync(this, grace, goOn);
            case Rung.Abort:
                // What it leaves behind harms those that are there already; nobody else shall join them.
                worker.Close();
                break;
        }
        if (rung != Rung.Verify)
        {
            worker.Send(new OfRunMessage(Id.Value, new ClimbMessage(rung, notice, grace)));
        }
        await Completion.EndsWithinAsync(grace, time, goOn);
        return null;
    }

    internal override ImmutableArray<ProcessRecord> Survivors() =>
        Completion.IsCompleted || worker.Tree is not { } tree ? [] : [.. tree.Members()];

    internal override IReadOnlyList<RunId> Neighbours =>
        order.Run.Policy.Ladder.Steps.Any(step => step.Rung == Rung.Recycle)
            ? [.. worker.Others(this).Select(other => other.Id).Order()]
            : [];

    internal override Task<string?> DeliverAsync(RunMessage message)
    {
        worker.Send(new OfRunMessage(Id.Value, new DeliverMessage(Mail.ForCode(message))));
        return Task.FromResult<string?>(null);
    }

    /// <summary>
    /// What the code says or has received. Not waited for, as others share the lane; the worker sends the end of a run after
    /// all that it said, and each is answered from its own place in the store's queue.
    /// </summary>
    internal void Hear(Message message)
    {
        switch (message)
        {
            case ReceivedMessage received:
                order.Context.Mail.Carrier.NoteReceived(received.Sequence);
                break;
            case SayMessage say:
                _ = AnswerAsync(say);
                break;
        }
    }

    private async Task AnswerAsync(SayMessage say) =>
        worker.Send(new OfRunMessage(Id.Value, await Mail.AnswerAsync(order.Context.Mail.Carrier, say)));

    /// <summary>What the lane carries over from the run's log and progress.</summary>
    internal void Report(ReportMessage report)
    {
        order.Output.WriteLog(report.Lines, report.Dropped);
        if (report.Progress is { } progress)
        {
            order.Context.Report(progress.Percent, progress.Message);
        }
    }

    /// <summary>The lane says that the code has ended.</summary>
    internal void End(EndedMessage ended, string verifiedBy)
    {
        byTree = false;
        end.TrySetResult(
            new()
            {
                Ending = ended.Ending,
                Result =
                    ended is { Ending: BodyEnding.Returned, Result: { } result }
                    && result.GetRawText().Length <= BodyOutcome.MaxInlineResultBytes
                        ? result
                        : null,
                ResultFileBytes = ended.Ending == BodyEnding.Returned ? ended.ResultFileBytes : null,
                Error = ended.Error?.Bounded(),
                VerifiedBy = verifiedBy,
            }
        );
    }

    /// <summary>It has ended with its lane, or was never started.</summary>
    internal void End(ExecutionEnd proven)
    {
        byTree = true;
        end.TrySetResult(proven);
    }
}
