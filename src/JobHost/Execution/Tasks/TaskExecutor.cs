using JobHost.Worker.Running;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Execution.Tasks;

/// <summary>Runs asynchronous jobs on the thread pool. They can be asked to stop and nothing else.</summary>
internal sealed class TaskExecutor(IServiceScopeFactory scopes, TimeProvider time) : IExecutor
{
    public JobKind Kind => JobKind.Task;

    public RunExecution Start(ExecutionOrder order) => new TaskExecution(order, scopes, time);

    private sealed class TaskExecution : CooperativeExecution
    {
        internal TaskExecution(ExecutionOrder order, IServiceScopeFactory scopes, TimeProvider time)
            : base(order, scopes, time)
        {
            Completion = Task.Run(RunAsync);
        }

        internal override Task<ExecutionEnd> Completion { get; }

        internal override string Mechanism => "token";

        protected override string Proof => "the job's task completed";

        protected override async Task<BodyOutcome> CallAsync(IServiceProvider services, object? parameters) =>
            BodyOutcome.Returned(await Order.Job.Body!.RunAsync(services, parameters, Order.Context));
    }
}
