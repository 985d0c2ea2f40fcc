using JobHost.Worker.Running;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Worker.InProcess;

/// <summary>A body of steps, one of thousands on the few threads of the scheduler. Between two steps it ends without its help.</summary>
internal sealed class StepExecution : CooperativeExecution
{
    internal StepExecution(BodyOrder order, IServiceScopeFactory scopes, StepScheduler scheduler, TimeProvider time)
        : base(order, scopes, time)
    {
        Completion = Task
            .Factory.StartNew(RunAsync, CancellationToken.None, TaskCreationOptions.DenyChildAttach, scheduler)
            .Unwrap();
    }

    internal override Task<BodyOutcome> Completion { get; }

    internal override string Mechanism => "step";

    internal override string Proof => "the last step ended and its enumerator was disposed";

    protected override Task<BodyOutcome> CallAsync(IServiceProvider services, object? parameters) =>
        StepAsync(Order.Body.Steps(services, parameters, Order.Context));

    private async Task<BodyOutcome> StepAsync(IAsyncEnumerable<Step> steps)
    {
        var stop = Order.Context.StopToken;
        await using var enumerator = steps.GetAsyncEnumerator(stop);
        while (!stop.IsCancellationRequested)
        {
            if (!await enumerator.MoveNextAsync())
            {
                return new(BodyEnding.Returned);
            }
            var step = enumerator.Current;
            if (step.IsLast)
            {
                return BodyOutcome.Returned(step.Result, Order.Context.ResultFile);
            }
            if (step.Pause > TimeSpan.Zero)
            {
                // A stop ends the pause; the loop's condition takes note of it.
                await Task.Delay(step.Pause, Time, stop)
                    .ConfigureAwait(
                        ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext
                    );
            }
            else
            {
                await Task.Yield();
            }
        }
        return new(BodyEnding.Dropped);
    }
}
