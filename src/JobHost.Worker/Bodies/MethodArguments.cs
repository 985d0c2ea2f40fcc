using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace JobHost.Worker.Bodies;

/// <summary>Where the arguments of a method that was registered as a job come from.</summary>
internal static class MethodArguments
{
    /// <exception cref="JobConfigurationException">A parameter that cannot be bound.</exception>
    internal static (ParametersReader Reader, Func<IServiceProvider, object?, JobContext, object?[]> Arguments) Bind(
        string job,
        MethodInfo method,
        IServiceProviderIsService isService
    )
    {
        var sources = new List<Func<IServiceProvider, object?, JobContext, object?>>();
        var named = new List<ParameterInfo>();
        ParameterInfo? whole = null;
        foreach (var parameter in method.GetParameters())
        {
            var type = parameter.ParameterType;
            if (type == typeof(JobContext))
            {
                sources.Add((_, _, context) => context);
            }
            else if (type == typeof(CancellationToken))
            {
                sources.Add((_, _, context) => context.StopToken);
            }
            else if (type == typeof(ILogger))
            {
                sources.Add((_, _, context) => context.Logger);
            }
            else if (ParametersReader.IsSimple(type))
            {
                var index = named.Count;
                named.Add(parameter);
                sources.Add((_, values, _) => ((object?[])values!)[index]);
            }
            else if (isService.IsService(type))
            {
                sources.Add((services, _, _) => services.GetRequiredService(type));
            }
            else if (!type.IsInterface && !type.IsAbstract && whole is null)
            {
                whole = parameter;
                sources.Add((_, value, _) => value);
            }
            else
            {
                throw new JobConfigurationException(
                    $"Job '{job}': parameter '{parameter.Name}' of type {type} is neither a registered service nor something that JSON parameters can fill. "
                        + "Register the service, or take one record with all parameters."
                );
            }
        }
        if (whole is not null && named.Count > 0)
        {
            throw new JobConfigurationException(
                $"Job '{job}': takes its parameters both whole ('{whole.Name}') and by name ('{named[0].Name}'). Use one way."
            );
        }
        var reader = whole is null ? ParametersReader.ForNames(named) : ParametersReader.ForType(whole.ParameterType);
        return (
            reader,
            (services, parameters, context) => [.. sources.Select(source => source(services, parameters, context))]
        );
    }
}
