using JobHost.Execution.Lanes;
using JobHost.Worker.InProcess;

namespace JobHost.Execution;

/// <summary>Runs jobs of one kind that is no process: inside the host, or in a lane where the job has one.</summary>
internal sealed class BodyExecutor(JobKind kind, BodyExecutions bodies, LiveLanes lanes) : IExecutor
{
    public JobKind Kind => kind;

    public RunExecution Start(ExecutionOrder order) =>
        order.Job.Footing.Lane is not null
            ? lanes.Start(order)
            : new HostExecution(
                bodies.Start(
                    new()
                    {
                        Body = order.Job.Body!,
                        Parameters = order.Run.Parameters,
                        ParametersFile = order.ParametersFile,
                        Context = order.Context,
                        OwnThread = order.Job.Footing.OwnThread,
                        MayAbort = order.Job.Footing.AllowAbort,
                    }
                ),
                order.Context
            );
}
