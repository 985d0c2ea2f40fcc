using JobHost.Worker.InProcess;

namespace JobHost.Execution;

/// <summary>An attempt whose code runs inside the host.</summary>
internal sealed class HostExecution : RunExecution
{
    private readonly BodyExecution body;

    internal HostExecution(BodyExecution body)
    {
        this.body = body;
        Completion = CompleteAsync();
    }

    internal override Task<ExecutionEnd> Completion { get; }

    internal override string Mechanism => body.Mechanism;

    internal override string? ThreadName => body.ThreadName;

    internal override int? ThreadId => body.ThreadId;

    internal override Task<string?> ClimbAsync(Rung rung, StopNotice notice, TimeSpan grace, CancellationToken goOn) =>
        body.ClimbAsync(rung, notice, grace, goOn);

    private async Task<ExecutionEnd> CompleteAsync() => ExecutionEnd.From(await body.Completion, body.Proof);
}
