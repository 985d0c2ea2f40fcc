using System.Threading.Channels;
using JobHost.Execution.Processes;
using JobHost.Worker.Protocol;
using JobHost.Worker.Running;

namespace JobHost.Execution.Lanes;

/// <summary>What host and lane say to each other. Nothing that a lane says is believed beyond the runs that it has.</summary>
internal sealed partial class LaneWorker
{
    // It listens on a thread that does nothing else: one that takes nothing for so long never will.
    private static readonly TimeSpan SendBound = TimeSpan.FromSeconds(30);

    // A lane whose channel is closed ends itself.
    private static readonly TimeSpan ExitGrace = TimeSpan.FromSeconds(5);

    private readonly Channel<Message> outbox = Channel.CreateUnbounded<Message>(new() { SingleReader = true });

    /// <summary>Hands a message to whoever carries it out, in order.</summary>
    internal void Send(Message message) => outbox.Writer.TryWrite(message);

    private AssignMessage Assignment(ExecutionOrder order) =>
        new()
        {
            RunId = order.Run.Id.Value,
            Job = order.Job.Name,
            Attempt = order.Run.Attempt,
            Fence = order.Run.Fence,
            WorkingDirectory = folders.WorkingDirectory(order.Run.Id),
            Parameters = order.Run.Parameters,
            ParametersFileSha256 = order.Run.LargeParameters?.Sha256,
            TraceParent = order.Run.TraceParent,
            TraceState = order.Run.TraceState,
            OwnThread = order.Job.Footing.OwnThread,
        };

    private async Task SendAllAsync(ProcessTree tree)
    {
        try
        {
            await foreach (var message in outbox.Reader.ReadAllAsync())
            {
                if (Encoded(message) is not { } frame)
                {
                    continue;
                }
                using var bound = new CancellationTokenSource(SendBound, time);
                await tree.ToWorker.WriteAsync(frame, bound.Token);
                await tree.ToWorker.FlushAsync(bound.Token);
            }
        }
        catch (OperationCanceledException)
        {
            Violate("It does not listen.");
        }
        catch (Exception closedEnd) when (closedEnd is IOException or ObjectDisposedException)
        {
            await ExpectEndAsync(tree);
        }
    }

    /// <summary>The frame, or null where the run that it is about ends for its length.</summary>
    private byte[]? Encoded(Message message)
    {
        try
        {
            return Frame.Encode(message);
        }
        catch (InvalidOperationException tooLong) when (message is AssignMessage assignment)
        {
            if (TryLeave(assignment.RunId, out var run))
            {
                run.End(
                    new()
                    {
                        Ending = BodyEnding.Failed,
                        Error = new("start", tooLong.Message, null),
                        VerifiedBy = "it was not started",
                    }
                );
            }
            return null;
        }
    }

    private async Task ListenAsync(ProcessTree tree)
    {
        try
        {
            while (await Frame.ReadAsync(tree.FromWorker, CancellationToken.None) is { } message)
            {
                Hear(message, tree.Pid);
            }
        }
        catch (InvalidDataException problem)
        {
            Violate(problem.Message);
            return;
        }
        catch (Exception closedEnd) when (closedEnd is IOException or ObjectDisposedException)
        {
            // As at the end of the stream.
        }
        await ExpectEndAsync(tree);
    }

    /// <summary>Nothing more can be said, one way or the other: it has ended, or is about to, or is made to.</summary>
    private async Task ExpectEndAsync(ProcessTree tree)
    {
        await ((Task)tree.RootEnded).WaitAsync(ExitGrace, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!tree.RootEnded.IsCompleted)
        {
            Violate("It closed its channel.");
        }
    }

    /// <exception cref="InvalidDataException">It is nothing that a lane may say.</exception>
    private void Hear(Message message, int pid)
    {
        switch (message)
        {
            case OfRunMessage { Message: ReportMessage report } of when Find(of.RunId) is { } run:
                run.Report(report);
                break;
            case OfRunMessage { Message: SayMessage or ReceivedMessage } of when Find(of.RunId) is { } run:
                run.Hear(of.Message);
                break;
            case OfRunMessage { Message: EndedMessage ended } of
                when ended.Ending is not (BodyEnding.Killed or BodyEnding.Lost) && TryLeave(of.RunId, out var run):
                run.End(ended, $"its lane '{Name}' (process {pid}) reported that its code had ended");
                break;
            default:
                throw new InvalidDataException($"A lane may not send '{Describe(message)}' now.");
        }
    }

    private LaneExecution? Find(Guid id)
    {
        lock (gate)
        {
            return runs.GetValueOrDefault(id);
        }
    }

    private void Violate(string problem)
    {
        violation = problem;
        Close();
        logger.LaneBrokeProtocol(Name, problem);
        Kill();
    }

    private static string Describe(Message message) =>
        message is OfRunMessage of ? $"{of.Message.GetType().Name} of run {of.RunId}" : message.GetType().Name;
}
