using JobHost.Worker.Bodies;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Worker.Main;

/// <summary>The jobs that the application registers, as a process other than the host knows them. Made when first wanted.</summary>
internal sealed class WorkerJobs : IDisposable, IAsyncDisposable
{
    private readonly Lazy<Registered> registered;
    private readonly Dictionary<string, JobBody> bodies = new(StringComparer.Ordinal);

    internal WorkerJobs(Action<JobsBuilder> configureJobs) => registered = new(() => Register(configureJobs));

    /// <summary>The services of the jobs.</summary>
    internal IServiceProvider Services => registered.Value.Services;

    /// <summary>The jobs that run in workers of their own.</summary>
    internal IEnumerable<string> OfWorkers =>
        registered.Value.Jobs.Values.Where(job => job.Options.Kind == JobKind.Process).Select(job => job.Name);

    /// <summary>The code of a job. Not for several threads at once.</summary>
    /// <exception cref="JobConfigurationException">There is no such job, or its parameters cannot be bound.</exception>
    internal JobBody BodyOf(string job)
    {
        if (!bodies.TryGetValue(job, out var body))
        {
            var registration =
                registered.Value.Jobs.GetValueOrDefault(job)
                ?? throw new JobConfigurationException($"The worker does not know the job '{job}'.");
            body = JobBody.Create(registration, Services.GetRequiredService<IServiceProviderIsService>());
            bodies[job] = body;
        }
        return body;
    }

    public void Dispose()
    {
        if (registered.IsValueCreated)
        {
            registered.Value.Services.Dispose();
        }
    }

    public ValueTask DisposeAsync() =>
        registered.IsValueCreated ? registered.Value.Services.DisposeAsync() : ValueTask.CompletedTask;

    private static Registered Register(Action<JobsBuilder> configureJobs)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddRunScope();
        var builder = new JobsBuilder(services);
        configureJobs(builder);
        return new(
            services.BuildServiceProvider(),
            builder.Registrations.ToDictionary(job => job.Name, StringComparer.Ordinal)
        );
    }

    private sealed record Registered(ServiceProvider Services, Dictionary<string, JobRegistration> Jobs);
}
