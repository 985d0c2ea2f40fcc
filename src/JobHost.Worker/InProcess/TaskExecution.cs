using JobHost.Worker.Running;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Worker.InProcess;

/// <summary>An asynchronous body on the thread pool. It can be asked to stop and nothing else.</summary>
internal sealed class TaskExecution : CooperativeExecution
{
    internal TaskExecution(BodyOrder order, IServiceScopeFactory scopes, TimeProvider time)
        : base(order, scopes, time)
    {
        Completion = Task.Run(RunAsync);
    }

    internal override Task<BodyOutcome> Completion { get; }

    internal override string Mechanism => "token";

    internal override string Proof => "the job's task completed";

    protected override async Task<BodyOutcome> CallAsync(IServiceProvider services, object? parameters) =>
        BodyOutcome.Returned(await Order.Body.RunAsync(services, parameters, Order.Context), Order.Context.ResultFile);
}
