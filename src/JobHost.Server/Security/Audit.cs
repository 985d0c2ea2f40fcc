using JobHost.Control;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Server.Api;
using JobHost.Storage;

namespace JobHost.Server.Security;

/// <summary>
/// Records every change that was asked for, whatever came of it, before the answer leaves. Who shows no key at all is in the
/// service's log only: anybody could fill the audit otherwise.
/// </summary>
internal sealed class Audit(RequestDelegate next, JobRegistry registry, TimeProvider time, ILogger<Audit> logger)
{
    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        var isChange =
            !HttpMethods.IsGet(request.Method)
            && !HttpMethods.IsHead(request.Method)
            && !HttpMethods.IsOptions(request.Method);
        var action = context.GetEndpoint()?.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName;
        if (isChange && action is not null)
        {
            var note = new AuditNote { IsLook = request.Query["validateOnly"] == "true" };
            context.Features.Set(note);
            context.Response.OnStarting(() => RecordAsync(context, action, note));
        }
        return next(context);
    }

    private async Task RecordAsync(HttpContext context, string action, AuditNote note)
    {
        if (note.IsLook || context.User.Identity?.IsAuthenticated != true)
        {
            return;
        }
        var caller = Caller.Of(context);
        var values = context.Request.RouteValues;
        var id = values["id"] as string;
        var isNode = context.Request.Path.StartsWithSegments("/api/v1/nodes", StringComparison.Ordinal);
        var isSchedule = SchedulesApi.IsScheduleOf(context);
        try
        {
            var link = await registry.AppendAuditAsync(
                new()
                {
                    At = time.GetUtcNow(),
                    By = caller.Name,
                    Role = caller.Role.ToString(),
                    From = caller.Address,
                    Action = action,
                    Job = values["job"] as string ?? note.Job,
                    RunId = note.Run ?? (!isNode && !isSchedule && RunId.TryParse(id, out var run) ? run : null),
                    Node = isNode ? id : null,
                    Schedule = isSchedule ? id : null,
                    Reason = note.Reason,
                    Status = context.Response.StatusCode,
                }
            );
            // Kept in a second place, it tells whether the audit was cut off there.
            logger.Audited(action, caller.Name, link);
        }
        catch (StoreUnavailableException problem)
        {
            logger.NotAudited(action, caller.Name, context.Response.StatusCode, problem);
        }
    }
}

/// <summary>What only the handler of a request knows.</summary>
internal sealed class AuditNote
{
    private const int MaxReason = 1000;

    /// <summary>Whether the request changes nothing.</summary>
    internal bool IsLook { get; set; }

    /// <summary>The run that it made.</summary>
    internal RunId? Run { get; set; }

    /// <summary>The job that it is about, where the path does not say it.</summary>
    internal string? Job { get; private set; }

    internal string? Reason { get; private set; }

    /// <summary>Notes why a change is asked for, and returns it as it may be recorded: without secrets.</summary>
    internal static string? Because(HttpContext context, string? reason)
    {
        var shown = context.RequestServices.GetRequiredService<Secrets>().Hide(reason);
        if (context.Features.Get<AuditNote>() is { } note)
        {
            note.Reason = shown?.Length > MaxReason ? shown[..MaxReason] : shown;
        }
        return shown;
    }

    /// <summary>Notes the job that a change is about.</summary>
    internal static void About(HttpContext context, string job)
    {
        if (context.Features.Get<AuditNote>() is { } note)
        {
            note.Job = job.Length > MaxReason ? job[..MaxReason] : job;
        }
    }

    /// <summary>Notes the run that was made.</summary>
    internal static void Made(HttpContext context, RunId run)
    {
        if (context.Features.Get<AuditNote>() is { } note)
        {
            note.Run = run;
        }
    }

    /// <summary>Notes that the request changes nothing, or does.</summary>
    internal static void Changes(HttpContext context, bool changes)
    {
        if (context.Features.Get<AuditNote>() is { } note)
        {
            note.IsLook = !changes;
        }
    }
}

internal static partial class AuditLog
{
    [LoggerMessage(422, LogLevel.Information, "{Action} by {By} is in the audit as {Link}.")]
    internal static partial void Audited(this ILogger logger, string action, string by, AuditLink link);

    [LoggerMessage(
        421,
        LogLevel.Error,
        "{Action} by {By}, answered {Status}, could not be recorded in the audit: the store does not take writes."
    )]
    internal static partial void NotAudited(
        this ILogger logger,
        string action,
        string by,
        int status,
        Exception problem
    );
}
