using JobHost.Runs;
using JobHost.Worker.InProcess;
using JobHost.Worker.Running;

namespace JobHost.Execution;

/// <summary>An attempt whose code runs inside the host.</summary>
internal sealed class HostExecution : RunExecution
{
    private readonly BodyExecution body;
    private readonly RunContext context;

    internal HostExecution(BodyExecution body, RunContext context)
    {
        this.body = body;
        this.context = context;
        Completion = CompleteAsync();
    }

    internal override Task<ExecutionEnd> Completion { get; }

    internal override string Mechanism => body.Mechanism;

    internal override string? ThreadName => body.ThreadName;

    internal override int? ThreadId => body.ThreadId;

    internal override async Task<string?> ClimbAsync(
        Rung rung,
        StopNotice notice,
        TimeSpan grace,
        CancellationToken goOn
    )
    {
        var problem = await body.ClimbAsync(rung, notice, grace, goOn);
        if (body.Completion.IsCompleted)
        {
            // The end that this rung saw is also the attempt's before anybody says what came of the rung.
            await Completion;
        }
        return problem;
    }

    internal override Task<string?> DeliverAsync(RunMessage message)
    {
        context.Mail.Deliver(Mail.ForCode(message));
        return Task.FromResult<string?>(null);
    }

    private async Task<ExecutionEnd> CompleteAsync()
    {
        var outcome = await body.Completion;
        context.Mail.Finish();
        return ExecutionEnd.From(outcome, body.Proof);
    }
}
