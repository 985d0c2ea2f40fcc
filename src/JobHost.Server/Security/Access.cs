using JobHost.Control;
using JobHost.Hosting;
using JobHost.Runs;
using JobHost.Server.Api;
using JobHost.Server.Http;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;

namespace JobHost.Server.Security;

/// <summary>Who may do what.</summary>
internal static class Access
{
    /// <exception cref="JobConfigurationException">A key is not valid.</exception>
    internal static void AddAccess(this IServiceCollection services, KeyRing keys)
    {
        services.AddSingleton(keys);
        services.AddSingleton<WrongKeys>();
        services
            .AddAuthentication(KeyAuthentication.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, KeyAuthentication>(KeyAuthentication.SchemeName, _ => { });
        var policies = services.AddAuthorizationBuilder();
        foreach (var role in Enum.GetValues<Role>())
        {
            policies.AddPolicy(role.ToString(), policy => policy.AddRequirements(new AtLeast(role)));
        }
        // What nobody has decided about is not for strangers.
        policies.SetFallbackPolicy(new AuthorizationPolicyBuilder().AddRequirements(new AtLeast(Role.Viewer)).Build());
        services.AddSingleton<IAuthorizationHandler, AtLeastHandler>();
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, Denial>();
    }

    /// <summary>The keys of a configuration and of its data directory.</summary>
    /// <exception cref="JobConfigurationException">A key is not valid.</exception>
    internal static KeyRing KeysOf(IConfiguration configuration, ServerOptions options) =>
        new(options.Security.Keys, FileOf(configuration), TimeProvider.System);

    /// <summary>The file of keys in the data directory of a configuration.</summary>
    internal static KeyFile FileOf(IConfiguration configuration) =>
        new(
            configuration.GetSection(JobHostOptions.Section)[nameof(JobHostOptions.DataDirectory)]
                ?? new JobHostOptions().DataDirectory,
            configuration
                .GetSection(JobHostOptions.Section)
                .GetValue<bool>(nameof(JobHostOptions.AllowSharedDataDirectory))
        );

    /// <summary>Lets only callers of this role, or of a higher one, reach the endpoint.</summary>
    internal static TBuilder Needs<TBuilder>(this TBuilder endpoint, Role role)
        where TBuilder : IEndpointConventionBuilder => endpoint.RequireAuthorization(role.ToString());

    /// <summary>For what is no endpoint.</summary>
    internal static Task OnlyForCallersAsync(HttpContext context, RequestDelegate next) =>
        context.User.Identity?.IsAuthenticated == true ? next(context) : RefuseAsync(context);

    /// <summary>Hides runs and jobs that a caller may not see, as if they were not there.</summary>
    internal static ValueTask<object?> HideOthersAsync(
        EndpointFilterInvocationContext invocation,
        EndpointFilterDelegate next
    )
    {
        var caller = Caller.Of(invocation.HttpContext);
        return caller.Jobs is null ? next(invocation) : HideOthersAsync(caller, invocation, next);
    }

    private static async ValueTask<object?> HideOthersAsync(
        Caller caller,
        EndpointFilterInvocationContext invocation,
        EndpointFilterDelegate next
    )
    {
        var context = invocation.HttpContext;
        var values = context.Request.RouteValues;
        if (values["job"] is string job && !caller.Sees(job))
        {
            return Problems.UnknownJob(job);
        }
        if (
            SchedulesApi.IsScheduleOf(context)
            && SchedulesApi.FindOf(context) is { } schedule
            && !caller.Sees(schedule.Spec.Job)
        )
        {
            return Problems.UnknownSchedule(schedule.Id);
        }
        if (
            values["id"] is string id
            && context.Request.Path.StartsWithSegments("/api/v1/runs", StringComparison.Ordinal)
            && RunId.TryParse(id, out var runId)
            && await context.RequestServices.GetRequiredService<JobRegistry>().FindAsync(runId) is { } run
            && !caller.Sees(run.Job)
        )
        {
            return Problems.UnknownRun(id);
        }
        return await next(invocation);
    }

    private static async Task RefuseAsync(HttpContext context)
    {
        if (context.RequestServices.GetRequiredService<WrongKeys>().AreTooMany(context))
        {
            context.Response.Headers.RetryAfter = WrongKeys.RetryAfterSeconds;
            await Problems.TooManyRequests().ExecuteAsync(context);
            return;
        }
        await context.ChallengeAsync();
        await Problems.Unauthenticated().ExecuteAsync(context);
    }

    private sealed record AtLeast(Role Role) : IAuthorizationRequirement;

    private sealed class AtLeastHandler : AuthorizationHandler<AtLeast>
    {
        protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, AtLeast requirement)
        {
            if (context.Resource is HttpContext request && IsEnough(request, requirement.Role))
            {
                context.Succeed(requirement);
            }
            return Task.CompletedTask;
        }

        private static bool IsEnough(HttpContext context, Role needed) =>
            context.User.Identity?.IsAuthenticated == true && Caller.Of(context).Role >= needed;
    }

    /// <summary>Says who would be let through.</summary>
    private sealed class Denial : IAuthorizationMiddlewareResultHandler
    {
        public async Task HandleAsync(
            RequestDelegate next,
            HttpContext context,
            AuthorizationPolicy policy,
            PolicyAuthorizationResult authorizeResult
        )
        {
            if (authorizeResult.Succeeded)
            {
                await next(context);
            }
            else if (authorizeResult.Forbidden)
            {
                var needed = policy.Requirements.OfType<AtLeast>().Max(requirement => requirement.Role);
                await Problems.Forbidden(Caller.Of(context).Role, needed).ExecuteAsync(context);
            }
            else
            {
                await RefuseAsync(context);
            }
        }
    }
}
